#!/bin/sh
# Builds the two calibration apps from their sources: clipshare.apk and pantry.apk.
#
#   sh build.sh [OUTPUT-FOLDER]      without a folder, beside the sources
#
# The same sources give the same bytes: timestamps are fixed, files go in by
# name, and the signature is RSA PKCS #1, which has no randomness. The tools are
# Debian's: aapt2, android-framework-res, zipalign, apksigner.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}
framework=${ANDROID_FRAMEWORK_RES:-/usr/share/android-framework-res/framework-res.apk}

missing=
for tool in aapt2 zipalign apksigner; do
    command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
[ -r "$framework" ] || missing="$missing android-framework-res"
if [ -n "$missing" ]; then
    echo "building the calibration apps needs packages that are not installed; run: apt-get install$missing" >&2
    exit 1
fi

mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
export LC_ALL=C TZ=UTC

for app in clipshare pantry; do
    source=$here/$app
    # One resource file at a time and by name, so that the order of a folder's listing does not matter.
    mkdir -p "$work/$app"
    find "$source/res" -type f | sort | while read -r file; do
        aapt2 compile "$file" -o "$work/$app"
    done
    (cd "$work/$app" && find . -name '*.flat' | sort >flat.txt)
    (cd "$work/$app" && aapt2 link -o "$work/$app.linked" \
        --manifest "$source/AndroidManifest.xml" -I "$framework" \
        -A "$source/assets" $(cat flat.txt))
    zipalign -f 4 "$work/$app.linked" "$work/$app.aligned"
    apksigner sign --key "$here/testkey/testkey.pk8" --cert "$here/testkey/testkey.x509.pem" \
        --min-sdk-version 26 --v1-signing-enabled false --out "$out/$app.apk" "$work/$app.aligned"
    rm -f "$out/$app.apk.idsig"
    echo "$out/$app.apk"
done
