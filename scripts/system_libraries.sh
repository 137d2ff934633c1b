#!/bin/sh
# Install the Debian libraries that Qt, OpenGL and a virtual display need, where
# that is possible; otherwise say what is missing. Quick when nothing is.
set -eu

[ "$(uname -s)" = Linux ] || exit 0

# What must be there (a library's file name, or =COMMAND) : the package that has it.
needed='
libEGL.so.1:libegl1
libGL.so.1:libgl1
libgthread-2.0.so.0:libglib2.0-0
libfontconfig.so.1:libfontconfig1
libxkbcommon.so.0:libxkbcommon0
libdbus-1.so.3:libdbus-1-3
libxcb-cursor.so.0:libxcb-cursor0
libxcb-icccm.so.4:libxcb-icccm4
libxcb-keysyms.so.1:libxcb-keysyms1
libxcb-shape.so.0:libxcb-shape0
libxkbcommon-x11.so.0:libxkbcommon-x11-0
=Xvfb:xvfb
=xauth:xauth
'

known=$(PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null || true)
missing=
for entry in $needed; do
    thing=${entry%%:*}
    package=${entry#*:}
    case $thing in
    =*) command -v "${thing#=}" >/dev/null 2>&1 || missing="$missing $package" ;;
    *) case $known in *"$thing"*) ;; *) missing="$missing $package" ;; esac ;;
    esac
done
if ! find /usr/share/fonts /usr/local/share/fonts "${HOME:-/}/.fonts" \
    -name '*.[to]tf' 2>/dev/null | grep -q .; then
    missing="$missing fonts-dejavu-core"
fi
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing system libraries:$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086 # a list of names
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
    echo "These system libraries are missing (names as on Debian):$missing" >&2
    echo "Install them with: sudo apt-get install$missing" >&2
    echo "Going on without them; windows or the virtual display may not open." >&2
fi
