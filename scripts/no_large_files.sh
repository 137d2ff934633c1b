#!/bin/sh
# Fail when one of the given files is larger than 3 MB.
status=0
for path in "$@"; do
    size=$(wc -c <"$path")
    if [ "$size" -gt 3000000 ]; then
        echo "$path has $size bytes; at most 3000000 are allowed in the repository."
        status=1
    fi
done
exit $status
