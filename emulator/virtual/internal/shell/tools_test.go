package shell

import (
	"strings"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

func TestFileTools(t *testing.T) {
	s := newShell(t)
	if err := s.FS().Image().MkdirAll("/data/data/org.example.one", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.FS().SetOwner("/data/data/org.example.one", 10100, 10100, 0o700); err != nil {
		t.Fatal(err)
	}
	check(t, s, rootfs.Shell, []step{
		{"mkdir -p a/b/c && touch -d '2024-01-02 03:04' a/f && ln -s a/f link && ls -1F", out("a/\nlink@\n")},
		{"ls -l a/f; ls -l link | cut -d ' ' -f 1-5,8-", out("-rw-rw-rw- 1 shell shell 0 2024-01-02 03:04 a/f\nlrwxrwxrwx 1 shell shell 3 link -> a/f\n")},
		{"ls a nonesuch", result{"a:\nb\nf\n", "ls: nonesuch: No such file or directory\n", 1}},
		{"ls -d a; ls -a a; ls -A a; ls -R a", out("a\n.\n..\nb\nf\nb\nf\na:\nb\nf\n\na/b:\nc\n\na/b/c:\n")},
		{"ls /data/data", fails("ls: /data/data: Permission denied\n", 1)},
		{"ls -Q", fails("ls: Unknown option 'Q' (see \"ls --help\")\n", 1)},
		{"stat -c '%n %s %a %A %U %G %u %F %Y' a/f; stat -c %N link", out("a/f 0 666 -rw-rw-rw- shell shell 2000 regular empty file 1704164640\n`link' -> `a/f'\n")},
		{"stat none", fails("stat: 'none': No such file or directory\n", 1)},
		{"echo text > t; cp t u; cp t a; cat u a/t; cp -p a/f g; stat -c %Y g", out("text\ntext\n1704164640\n")},
		{"cp a z", fails("cp: Skipped dir 'a'\n", 1)},
		{"cp none z; cp t /system/t; cp t t", fails("cp: bad 'none': No such file or directory\ncp: '/system/t': Read-only file system\ncp: 't' is '/data/local/tmp/t'\n", 1)},
		{"cp -r a copy; find copy -type f | sort; cp -r a a/b", result{"copy/f\ncopy/t\n", "cp: 'a' into itself: '/data/local/tmp/a/b/a'\n", 1}},
		{"mv u v && mv v a/ && ls a; mv a/v /sdcard/v && cat /sdcard/v; ls a", out("b\nf\nt\nv\ntext\nb\nf\nt\n")},
		{"mv none x", fails("mv: bad 'none': No such file or directory\n", 1)},
		{"rm copy; rm -r copy; rm none; rm -f none; rm -rf none; ls -d copy", fails("rm: copy: is a directory\nrm: none: No such file or directory\nls: copy: No such file or directory\n", 1)},
		{"rmdir a; rmdir a/b/c && ls a/b", fails("rmdir: 'a': Directory not empty\n", 0)},
		{"mkdir a; mkdir /x; mkdir -m 700 m && stat -c %a m", result{"700\n", "mkdir: 'a': File exists\nmkdir: '/x': Read-only file system\n", 0}},
		{"chmod 640 t; chmod u+x,o=r,g-r t; stat -c %a t; chmod 600 /system/bin; chmod zz t", result{"704\n", "chmod: chmod '/system/bin' to 40600: Read-only file system\nchmod: bad mode 'zz'\n", 1}},
		{"chown root t; chown nobodyatall t; chown shell:shell t; chgrp inet t; stat -c %G t", result{"inet\n", "chown: 't' to 'root': Operation not permitted\nchown: bad user 'nobodyatall'\n", 0}},
		{"ln -s none dangling; ln -s x dangling; ln t hard; stat -c %h t; cat dangling; readlink dangling; readlink -f link; realpath dangling",
			result{"2\nnone\n/data/local/tmp/a/f\n", "ln: cannot create symbolic link from 'x' to '/data/local/tmp/dangling': File exists\ncat: dangling: No such file or directory\nrealpath: dangling: No such file or directory\n", 1}},
		{"touch /system/x; touch -c none; ls none", fails("touch: '/system/x': Read-only file system\nls: none: No such file or directory\n", 1)},
		{"basename /a/b.txt .txt; basename /; dirname /a/b; dirname x; dirname /", out("b\n/\n/a\n.\n/\n")},
		{"rm -rf *; mkdir -p d/e; echo 1 > d/one.txt; echo 22 > d/e/two.log; find d | sort", out("d\nd/e\nd/e/two.log\nd/one.txt\n")},
		{"find d -name '*.txt' -o -name '*.log' | sort; find d -maxdepth 1 -type f; find . -path './d/e*' -type f; find d -size -3c -type f ! -name one.txt", out("d/e/two.log\nd/one.txt\nd/one.txt\n./d/e/two.log\n")},
		{"find d -type f -exec echo got {} \\; | sort; find d -name e -prune -o -type f -print; find d -name two.log -delete; ls d/e; find d -frob", result{"got d/e/two.log\ngot d/one.txt\nd/one.txt\n", "find: bad arg '-frob'\n", 1}},
		{"du -s /system/bin/nothere; df /data | tail -1 | tr -s ' '", result{"/dev/block/dm-6 6082144 1153060 4929084 19% /data\n", "du: /system/bin/nothere: No such file or directory\n", 0}},
		{"f=$(mktemp) && [ -f $f ] && stat -c %a $f; d=$(mktemp -d) && [ -d $d ] && echo dir", out("600\ndir\n")},
	})
	check(t, s, rootfs.Root, []step{
		{"touch -d '2024-01-02 03:04' /data/data/org.example.one; ls -l /data/data | tail -n +2 | tr -s ' ' | cut -d ' ' -f 1,3,4,6-; touch /data/data/org.example.one/r; stat -c '%U %a' /data/data/org.example.one /data/data/org.example.one/r", out("drwx------ u0_a100 u0_a100 2024-01-02 03:04 org.example.one\nu0_a100 700\nroot 666\n")},
		{"chown u0_a100:u0_a100 /data/data/org.example.one/r; stat -c %u /data/data/org.example.one/r; cp -a /data/data/org.example.one x; stat -c '%U %a' x x/r", out("10100\nu0_a100 700\nu0_a100 666\n")},
		{"chown -R 10101:3003 x; stat -c '%u %g' x x/r", out("10101 3003\n10101 3003\n")},
	})
}

func TestTextTools(t *testing.T) {
	s := newShell(t)
	check(t, s, rootfs.Shell, []step{
		{"printf 'one\\ntwo\\nthree\\nTwo' > n; head -n 2 n; head -1 n; tail -n 1 n; echo; tail -n +3 n; echo; head -c 4 n; tail -c 3 n", out("one\ntwo\none\nTwo\nthree\nTwo\none\nTwo")},
		{"wc n; wc -l < n; wc -c n; cat n | wc -w", out("3 4 17 n\n3\n17 n\n4\n")},
		{"head n none", result{"==> n <==\none\ntwo\nthree\nTwo", "head: none: No such file or directory\n", 1}},
		{"sort n; sort -r n; sort -f n; printf '10 b\\n9 a\\n9 a\\n' | sort -n; printf '10 b\\n9 a\\n9 a\\n' | sort -k2 -u", out("Two\none\nthree\ntwo\ntwo\nthree\none\nTwo\none\nthree\nTwo\ntwo\n9 a\n9 a\n10 b\n9 a\n10 b\n")},
		{"printf 'a\\na\\nb\\n' | uniq -c; printf 'a\\na\\nb\\n' | uniq -d; printf 'a\\na\\nb\\n' | uniq -u", out("      2 a\n      1 b\na\nb\n")},
		{"printf 'a:b:c\\nplain\\n' | cut -d : -f 1,3; echo abcdef | cut -c 2-3,5; echo a:b | cut -d: -f2-", out("a:c\nplain\nbce\nb\n")},
		{"echo hello | tr a-y b-z; echo 'a  b' | tr -s ' '; echo a1b2 | tr -d 0-9; echo aXb | tr '[:upper:]' '[:lower:]'; printf 'a\\nb' | tr '\\n' ' '; printf abc | tr -cd b", out("ifmmp\na b\nab\naxb\na bb")},
		{"grep -n t n; grep -c -i two n; grep -v o n; echo $?; grep none n; echo $?; grep -o '[a-e]*' n; grep -q one n && echo q", out("2:two\n3:three\n2\nthree\n0\n1\ne\nee\nq\n")},
		{"grep -E 'one|two' n; grep 'one\\|two' n; grep -F 'a.c' n; echo 'a.c abc' | grep -o -F a.c; grep -w tw n; grep -x two n; grep -e one -e three n", out("one\ntwo\none\ntwo\na.c\ntwo\none\nthree\n")},
		{"grep x none; echo $?; grep -s x none; echo $?; grep -E '(' n; echo $?", result{"2\n2\n2\n", "grep: none: No such file or directory\ngrep: bad REGEX: error parsing regexp: missing closing ): `(?s)(?:()`\n", 0}},
		{"mkdir d; cp n d/m; grep -r two .; grep -l two n d/m; grep -H one n; grep -A1 one n; printf 'a\\0b' | grep b", out("./d/m:two\n./n:two\nn\nd/m\nn:one\none\ntwo\nBinary file (standard input) matches\n")},
		{"sed s/t/T/ n; echo; sed -n '2p;$p' n; echo; sed '1d;/three/d' n; echo; echo aaa | sed 's/a/[&]/2'; echo a/b | sed 's|/|:|g'; echo ab | sed -E 's/(a)(b)/\\2\\1/'",
			out("one\nTwo\nThree\nTwo\ntwo\nTwo\n\ntwo\nTwo\na[a]a\na:b\nba\n")},
		{"cp n i; sed -i -e 's/one/1/' -e /two/d i; cat i; echo; sed -n '2,3p' n; sed -n '/two/,/three/=' n; sed y/a/b/ n", result{"1\nthree\nTwo\ntwo\nthree\n2\n3\n", "sed: this device's sed has only s, d, p, q, a and =: not 'y'\n", 1}},
		{"echo x | tee a b; cat a b; tac n; seq 2 4 | xargs echo; seq 3 | xargs -n 2 echo -; echo a b | xargs -I {} echo '<{}>'", out("x\nx\nx\nTwothree\ntwo\none\n2 3 4\n- 1 2\n- 3\n<a b>\n")},
		{"md5sum n; sha1sum < n; sha256sum -b n; sha256sum n > sum; sha256sum -c sum", out("4cbc1b76f44770d031d322ec7a32959d  n\nb05247b753229fbfe3735349f2c572682d6475cb  -\n8e9793ad5ddc608f6922909e8cc3f46efba7daa5af1d6e2c3284a638c62987e6\nn: OK\n")},
		{"printf 'hi\\377' | base64; printf aGn/ | base64 -d | xxd; printf 'hi\\377' | xxd -p; echo 6869ff | xxd -r -p | od -An -tx1; printf 'abc' | od -c", out("aGn/\n00000000: 6869 ff                                  hi.\n6869ff\n 68 69 ff\n0000000   a   b   c\n0000003\n")},
		{"cmp n n; printf x | cmp - n; echo $?; expr 6 \\* 7; expr a = b; echo $?", out("- n differ: char 1, line 1\n1\n42\n0\n1\n")},
		{"gzip -k i; gunzip -c i.gz | head -1; zcat i.gz | wc -l; echo x | gunzip", result{"1\n2\n", "gunzip: -: bad gzip data\n", 1}},
	})
}

func TestSystemTools(t *testing.T) {
	s := newShell(t)
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("CET", 3600))
	s.SetClock(func() time.Time { return now })
	check(t, s, rootfs.Shell, []step{
		{"id -u; id -un; whoami; groups | cut -d ' ' -f 1-3", out("2000\nshell\nshell\nshell input log\n")},
		{"id 10100", out("uid=10100(u0_a100) gid=10100(u0_a100) groups=10100(u0_a100),3003(inet),9997(everybody) context=u:r:untrusted_app:s0:c512,c768\n")},
		{"date; date +%F_%T.%s; date -u +%H; date -d @0 +%Y; date -s 2020-01-01", result{"Wed Mar  4 05:06:07 CET 2026\n2026-03-04_05:06:07.1772597167\n04\n1970\n", "date: cannot set date: Operation not permitted\n", 1}},
		{"uname; uname -m; uname -r; getenforce; uptime", out("Linux\nx86_64\n6.1.23-android14-4-00257-g7e35917775b8-ab9964412\nEnforcing\n 05:06:07 up 0 min,  0 users,  load average: 0.00, 0.00, 0.00\n")},
		{"su -c 'id -u'; su 0 id -u; su root -c 'id -u; echo $0'; su shell id -un; su nobodyatall id", result{"0\n0\n0\nsh\nshell\n", "su: invalid uid/gid 'nobodyatall'\n", 1}},
		{"mount -t tmpfs tmpfs /data/local/tmp; nsenter --mount=/proc/1/ns/mnt -- id; mount -o remount,rw /", fails("mount: 'tmpfs'->'/data/local/tmp': Operation not permitted\nnsenter: setns: Operation not permitted\nmount: '/'->'/': Operation not permitted\n", 1)},
		{"chcon u:object_r:system_file:s0 /system/bin; restorecon /none; sync; mountpoint /data; mountpoint -q /data/local || echo no", result{"/data is a mountpoint\nno\n", "restorecon: /none: No such file or directory\n", 0}},
	})
	check(t, s, rootfs.Root, []step{{"date -s 2020-01-01", fails("date: cannot set date: this device's clock is the host's, and can't be set\n", 1)}})
	s.SetRootable(false)
	check(t, s, rootfs.Shell, []step{{"su -c id", fails("/system/bin/sh: su: inaccessible or not found\n", 127)}})
}

func TestPs(t *testing.T) {
	s := newShell(t)
	started := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	s.Processes().Add(Process{PID: 1, UID: 0, Name: "init", VSZ: 11034648, RSS: 14272, Started: started})
	s.Processes().Add(Process{PID: 333, PPID: 1, UID: 0, Name: "zygote64", Started: started})
	_, remove := s.Processes().Add(Process{PPID: 333, UID: 10100, Name: "org.example.one", Args: []string{"org.example.one", "-x"}, Started: started})
	check(t, s, rootfs.Shell, []step{
		{"ps -A | head -3", out("USER           PID  PPID     VSZ    RSS WCHAN            ADDR S NAME\nroot             1     0 11034648  14272 0                   0 S init\nroot           333     1       0      0 0                   0 S zygote64\n")},
		{"ls /proc/3000; tr '\\0' ' ' < /proc/3000/cmdline; echo; grep -E '^(Pid|Uid)' /proc/3000/status; ls -ld /proc/3000 | tr -s ' ' | cut -d ' ' -f 1,3,4; [ -d /proc/99 ] || echo gone", out("cmdline\ncomm\nns\nstatus\norg.example.one -x \nPid:\t3000\nUid:\t10100\t10100\t10100\t10100\ndr-xr-xr-x u0_a100 u0_a100\ngone\n")},
		{"ps -o PID -P 333; ps -o PID= -P 333", out("  PID\n 3000\n 3000\n")},
		{"ps -A -o USER,PID,STIME,ARGS | grep example", out("u0_a100       3000 05:06 org.example.one -x\n")},
		{"ps -p 1 -o NAME=; ps -u 10100 -o NAME=; ps -o PID= -P 99999; echo $?", out("init\norg.example.one\n1\n")},
	})
	check(t, s, rootfs.Root, []step{{"nsenter -t 3000 -- id -un; nsenter --mount=/proc/99/ns/mnt -- id", result{"root\n", "nsenter: /proc/99/ns/mnt: No such file or directory\n", 1}}})
	remove()
	check(t, s, rootfs.Shell, []step{{"ls -d /proc/3000", fails("ls: /proc/3000: No such file or directory\n", 1)}})
}

// TestTrustStoreRecipe runs what puts a CA into an Android's system store: the
// folder is covered by a tmpfs, filled from the conscrypt module, and bound
// over it, for zygote and its children too.
func TestTrustStoreRecipe(t *testing.T) {
	s := newShell(t)
	image := s.FS().Image()
	for name, data := range map[string]string{"/apex/com.android.conscrypt/cacerts/00673b5b.0": "public CA", "/data/local/tmp/0badcafe.0": "our CA"} {
		if err := image.WriteFile(name, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s.Processes().Add(Process{PID: 333, PPID: 1, Name: "zygote64"})
	s.Processes().Add(Process{PID: 3100, PPID: 333, UID: 10100, Name: "org.example.one"})
	got := runAs(t, s, rootfs.Root, `set -e
mount -t tmpfs tmpfs /system/etc/security/cacerts
cp /apex/com.android.conscrypt/cacerts/* /system/etc/security/cacerts/
cp /data/local/tmp/0badcafe.0 /system/etc/security/cacerts/
chown root:root /system/etc/security/cacerts/*
chmod 644 /system/etc/security/cacerts/*
chcon u:object_r:system_file:s0 /system/etc/security/cacerts/*
mount --bind /system/etc/security/cacerts /apex/com.android.conscrypt/cacerts
for Z in $(pidof zygote64); do
  for P in $Z $(ps -o PID= -P $Z); do
    nsenter --mount=/proc/$P/ns/mnt -- /bin/mount --bind /system/etc/security/cacerts /apex/com.android.conscrypt/cacerts
  done
done
ls -l /apex/com.android.conscrypt/cacerts | tr -s ' ' | cut -d ' ' -f 1,3,4,5,8`, "")
	want := out("total\n-rw-r--r-- root root 9 00673b5b.0\n-rw-r--r-- root root 6 0badcafe.0\n")
	if got != want {
		t.Fatalf("got %+v\nwant %+v", got, want)
	}
	got = runAs(t, s, rootfs.Root, "nsenter --mount=/proc/333/ns/mnt -- /bin/umount /apex/com.android.conscrypt/cacerts; nsenter --mount=/proc/3100/ns/mnt -- /bin/umount /apex/com.android.conscrypt/cacerts 2>/dev/null || true; umount /system/etc/security/cacerts; ls /apex/com.android.conscrypt/cacerts /system/etc/security/cacerts", "")
	if want := out("/apex/com.android.conscrypt/cacerts:\n00673b5b.0\n\n/system/etc/security/cacerts:\n"); got != want {
		t.Errorf("taken back: %+v\nwant %+v", got, want)
	}
}

func TestTar(t *testing.T) {
	s := newShell(t)
	image := s.FS().Image()
	for name, data := range map[string]string{"shared_prefs/p.xml": "<map/>", "app_webview/Default/Cookies": strings.Repeat("c", 100_000), "files/ümläut": "u"} {
		full := "/data/data/org.example.one/" + name
		if err := image.MkdirAll(full[:strings.LastIndex(full, "/")], 0o700); err != nil {
			t.Fatal(err)
		}
		if err := image.WriteFile(full, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.FS().SetOwner("/data/data/org.example.one", 10100, 10100, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := image.Symlink("/proc/1/cwd", "/data/data/org.example.one/SingletonLock"); err != nil {
		t.Fatal(err)
	}
	check(t, s, rootfs.Root, []step{
		{"tar -C /data/data/org.example.one -cf - . > p.tar; tar tf p.tar", out("./\n./SingletonLock\n./app_webview/\n./app_webview/Default/\n./app_webview/Default/Cookies\n./files/\n./files/ümläut\n./shared_prefs/\n./shared_prefs/p.xml\n")},
		{"mkdir x; tar -xf p.tar -C x; stat -c '%U %a' x/shared_prefs/p.xml; readlink x/SingletonLock; cmp x/app_webview/Default/Cookies /data/data/org.example.one/app_webview/Default/Cookies && echo same", out("u0_a100 600\n/proc/1/cwd\nsame\n")},
		{"cd /data/data; tar czf - org.example.one | tar tz | head -2; tar xzf /dev/null", result{"org.example.one/\norg.example.one/SingletonLock\n", "", 0}},
		{"tar -cf - --exclude '*Cookies' -C /data/data org.example.one/app_webview | tar -t; tar xOf p.tar ./shared_prefs/p.xml", out("org.example.one/app_webview/\norg.example.one/app_webview/Default/\n<map/>")},
		{"echo junk | tar t; tar c /none > /dev/null; tar -f x", fails("tar: bad header\ntar: /none: No such file or directory\ntar: Needs -txc (see \"tar --help\")\n", 1)},
	})
	check(t, s, rootfs.Shell, []step{
		{"tar -C /data/data/org.example.one -cf - .", fails("tar: chdir '/data/data/org.example.one': Permission denied\n", 1)},
		{"mkdir q; cd /system/bin; tar -cf /data/local/tmp/q.tar sh; cd -; tar -xf q.tar --strip-components 1 -C q; ls q; tar -xf q.tar -C /system", result{"/data/local/tmp\n", "tar: sh: Read-only file system\n", 1}},
	})
}
