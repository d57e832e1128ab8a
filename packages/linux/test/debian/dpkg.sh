# dpkg: what is installed, and a package that comes and goes.
dpkg -l bash | tail -n 1 | awk '{ print $1, $2 }'; dpkg -S /bin/bash /usr/bin/perl; dpkg -L hostname | sort | head -n 5
dpkg-deb -f /root/hello.deb Package Architecture Depends
dpkg -i /root/hello.deb; hello; dpkg -l hello | tail -n 1; dpkg -s hello | head -n 3; dpkg -V hello
dpkg -r hello; ls /usr/bin/hello; dpkg --audit; dpkg --print-architecture; dpkg --compare-versions 1.2 lt 1.10 && echo lt
dpkg -i /root/hello.deb >/dev/null && dpkg -P hello; dpkg -l | grep -vc '^ii'; update-alternatives --display awk | head -n 3
debconf-show passwd; ldd /bin/ls | sed 's/ (.*//'; locale
