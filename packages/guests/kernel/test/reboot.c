/* The end of the machine by reboot; its magic numbers are asked for. */
#include "test.h"

int main(int argc, char **argv, char **envp)
{
    (void)argc, (void)argv, (void)envp;
    begin("reboot: without its magic numbers nothing happens");
    check_equal(CALL3(88, 1, REBOOT_MAGIC_2, REBOOT_POWER_OFF), -EINVAL);
    check_equal(CALL3(88, REBOOT_MAGIC, 1, REBOOT_POWER_OFF), -EINVAL);
    check_equal(CALL3(88, REBOOT_MAGIC, REBOOT_MAGIC_2, 5), -EINVAL);
    end();
    CALL3(88, REBOOT_MAGIC, REBOOT_MAGIC_2, REBOOT_POWER_OFF);
    print("FAILED to power off\n");
    return 0;
}
