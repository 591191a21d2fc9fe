#!/bin/sh
# Installs what the tests need beyond Go and Node: with apt as root or through
# sudo without a password; elsewhere it names what is missing and fails.
set -eu

missing=
need() { # need PACKAGE COMMAND...: the package is missing if the command fails
	package=$1
	shift
	"$@" >/dev/null 2>&1 || missing="$missing $package"
}

PATH=$PATH:/usr/sbin # where Debian puts mosquitto
need chromium test -x /usr/bin/chromium
need firefox-esr command -v firefox-esr
need mosquitto command -v mosquitto
need openssl command -v openssl
need mosquitto-clients command -v mosquitto_pub
need python3-paho-mqtt /usr/bin/python3 -c 'import paho.mqtt.client'
# The race detector needs a C compiler.
need gcc command -v "${CC:-gcc}"
need libc6-dev test -e /usr/include/stdlib.h

if [ "$(id -u)" = 0 ]; then
	as_root=
elif sudo -n true 2>/dev/null; then
	as_root='sudo -n'
else
	as_root=none
fi
command -v apt-get >/dev/null || as_root=none

install() {
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
}

if [ -n "$missing" ]; then
	if [ "$as_root" = none ]; then
		echo "The tests need these packages (named as in Debian), which are missing:$missing" >&2
		echo "Install them and run the tests again. (With apt, and as root or with password-less sudo, this happens by itself.)" >&2
		exit 1
	fi
	echo "installing$missing"
	$as_root apt-get update -q
	# shellcheck disable=SC2086 # a list of words
	install $missing
fi

# Chromium without its windows is for speed alone, and not every system has it.
shell=chromium-headless-shell
if [ ! -x /usr/bin/$shell ] && [ "$as_root" != none ] && apt-cache show $shell >/dev/null 2>&1; then
	install $shell || echo "$shell: not installed, the tests take the whole Chromium"
fi

# The same for WebKit, without which its own tests are skipped.
webkit='webkit2gtk-driver xvfb xauth'
if [ "$as_root" != none ] && { ! command -v WebKitWebDriver || ! command -v xvfb-run; } >/dev/null; then
	# shellcheck disable=SC2086 # a list of words
	apt-cache show $webkit >/dev/null 2>&1 && install $webkit || echo "WebKit: not installed, its tests are skipped"
fi

# The tests start brokers of their own; the package's service would hold port 1883.
case $missing in
*' mosquitto '* | *' mosquitto')
	if [ -d /run/systemd/system ]; then $as_root systemctl disable --now mosquitto; fi
	;;
esac
