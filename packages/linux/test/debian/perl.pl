# perl: modules in C, processes, threads, signals.
use strict; use warnings;
use POSIX; use Data::Dumper; use List::Util qw(sum max); use Time::HiRes qw(sleep time); use File::Find;
use IO::Select; use Encode; use Digest::SHA qw(sha1_hex); use Storable qw(dclone); use threads;
$| = 1;
my %h = (a => 1, b => 2); print join(',', map { "$_=$h{$_}" } sort keys %h), "\n";
print sum(1 .. 100), ' ', max(3, 9, 2), "\n";
(my $s = 'hello') =~ s/l+/L/; print "$s\n"; printf "%.15g %s %s\n", 1 / 3, 2**53, 9**20;
my $p = fork; exit 7 unless $p; waitpid $p, 0; print $? >> 8, "\n";
print `echo sub`; open my $f, '|-', 'cat'; print $f "piped\n"; close $f;
local $SIG{ALRM} = sub { print "alarm\n" }; alarm 1; POSIX::pause();
print threads->create(sub { $_[0] * 2 }, 21)->join, "\n";
print sha1_hex('x'), "\n"; my $n = 0; find(sub { $n++ if /^passwd$/ }, '/etc'); print "$n\n";
print scalar(gmtime 0), "\n"; print Dumper(dclone([1, { a => 2 }]));
my @s = sort { $a <=> $b } map { ($_ * 7919) % 1000 } 1 .. 1000; print "@s[0..4]\n";
pipe(my $r, my $w); syswrite $w, 'x'; print IO::Select->new($r)->can_read(1) ? "ready\n" : "no\n";
print encode('UTF-8', "\x{e9}"), "\n"; print -s '/etc/hostname', "\n"; eval { die "caught\n" }; print $@;
exit 4;
