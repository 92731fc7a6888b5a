#!/bin/sh
# Audits the two calibration apps on the embedded device: demo.sh PROGRAM FOLDER
#
# The guilty app must be found out and the innocent one must not; anything else is
# an error of the instrument.
set -eu
program=$1
folder=$2
stamp=$(date +%Y%m%d-%H%M%S)
apps=$(dirname "$0")/../emulator/virtual/apps

audit() { # NAME EXPECTED-EXIT-CODE
	out="$folder/demo-$stamp-$1"
	code=0
	"$program" audit "$apps/$1.apk" --virtual --protocol quick --out "$out" || code=$?
	if [ "$code" != "$2" ]; then
		echo "The audit of $1 ended with exit code $code where $2 was expected; its evidence is in $out." >&2
		exit 1
	fi
}
audit clipshare 1
audit pantry 0

echo
echo "Open in a browser:"
echo "  $folder/demo-$stamp-clipshare/report.html   the app that does it"
echo "  $folder/demo-$stamp-pantry/report.html      the app that does not"
