#!/bin/sh
# Installs the Debian packages whose programs this machine lacks.
#
#   need.sh demo    what an audit on the embedded device needs
#   need.sh test    that, and what the test suite checks itself against
#   need.sh bench   what an audit needs, and the programs that it is measured against
#
# Asks apt only for what is missing, as root or through sudo. Where that fails, one
# sentence names the packages and the command.
set -eu

for_demo="adb:adb certutil:libnss3-tools"
for_test="aapt2:aapt apksigner:apksigner androguard:androguard zipalign:zipalign curl:curl openssl:openssl gcc:gcc npm:npm tshark:tshark dig:bind9-dnsutils ip:iproute2 iptables:iptables sysctl:procps"
for_bench="mitmdump:mitmproxy rg:ripgrep androguard:androguard node:nodejs npm:npm"
framework=/usr/share/android-framework-res/framework-res.apk

case "${1:-}" in
demo) wanted=$for_demo ;;
test) wanted="$for_demo $for_test" ;;
bench) wanted="$for_demo $for_bench" ;;
*) echo "usage: $0 demo|test|bench" >&2; exit 64 ;;
esac

missing=""
for pair in $wanted; do
	command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair#*:}"
done
# Any Chromium will do; the headless shell is the quiet and quick one.
if [ -z "${UNASKED_CHROMIUM:-}" ]; then
	found=""
	for browser in chromium-headless-shell headless_shell chromium google-chrome; do
		command -v "$browser" >/dev/null 2>&1 && found=$browser
	done
	[ -n "$found" ] || missing="$missing chromium-headless-shell"
fi
if [ "$1" = test ]; then
	[ -e "$framework" ] || missing="$missing android-framework-res"
	[ -e /usr/include/stdlib.h ] || missing="$missing libc6-dev"
fi
[ -n "$missing" ] || exit 0

install="apt-get install -y --no-install-recommends$missing"
give_up() {
	echo "unasked needs these Debian packages and could not install them ($1):$missing. Install them with: sudo apt-get update && sudo $install" >&2
	exit 1
}
command -v apt-get >/dev/null 2>&1 || give_up "this machine has no apt-get"
as_root=""
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null 2>&1 || give_up "you are not root, and there is no sudo"
	as_root="sudo"
fi
echo "Installing:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq >"$log" 2>&1 || { tail -n 3 "$log" >&2; give_up "apt-get update failed"; }
# shellcheck disable=SC2086 # each package is a word of its own
$as_root env DEBIAN_FRONTEND=noninteractive $install >"$log" 2>&1 || { tail -n 3 "$log" >&2; give_up "apt-get install failed"; }
