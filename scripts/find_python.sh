#!/bin/sh
# Print a Python >= 3.11 that can make virtual environments, or say what to do.
set -eu

for name in ${PYTHON:-} python3.11 python3.12 python3.13 python3 python; do
    path=$(command -v "$name" 2>/dev/null) || continue
    "$path" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
    if ! "$path" -c 'import ensurepip, venv' 2>/dev/null; then
        version=$("$path" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        package="python$version-venv"
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
            echo "Installing $package" >&2
            { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
                apt-get install -y -qq --no-install-recommends "$package"; } >/dev/null
        else
            echo "$path has no venv; install it: sudo apt-get install $package" >&2
            continue
        fi
    fi
    echo "$path"
    exit 0
done

echo "No Python 3.11 or newer was found. Install one, or name it:" >&2
echo "    make setup PYTHON=/path/to/python3.11" >&2
exit 1
