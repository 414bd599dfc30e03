#!/bin/sh
# Puts kvmtui under a folder, or takes it away again:
#
#     ./install.sh PREFIX             such as /usr/local, or ~/.local
#     ./install.sh --remove PREFIX
#
# What lies here is copied as it is: bin/, share/. The program finds what it needs inside itself, wherever it is. What was installed is
# listed in PREFIX/share/kvmtui/installed, and nothing else is removed.
set -eu

usage() {
    echo "usage: $0 [--remove] PREFIX" >&2
    exit 64
}

remove=no
if [ "${1:-}" = --remove ]; then
    remove=yes
    shift
fi
[ $# = 1 ] && [ -n "$1" ] || usage
case $1 in -*) usage ;; esac
here=$(cd "$(dirname "$0")" && pwd)
list=share/kvmtui/installed

# Folders that are empty then go as well; the prefix itself stays.
take_away() {
    while IFS= read -r file; do
        rm -f "./$file"
        folder=$(dirname "$file")
        while [ "$folder" != . ] && rmdir "./$folder" 2>/dev/null; do folder=$(dirname "$folder"); done
    done
}

if [ $remove = yes ]; then
    cd "$1"
    if [ ! -f $list ]; then
        echo "$0: $1/$list is not there: nothing was installed in $1" >&2
        exit 1
    fi
    files=$(cat $list)
    printf '%s\n' "$files" | take_away
    echo "kvmtui is removed from $1"
    exit 0
fi

mkdir -p "$1"
prefix=$(cd "$1" && pwd)
cd "$here"
# An earlier version may have had other files.
[ ! -f "$prefix/$list" ] || (cd "$prefix" && files=$(cat $list) && printf '%s\n' "$files" | take_away)
mkdir -p "$prefix"
files=$(find bin share -type f | LC_ALL=C sort)
printf '%s\n' "$files" | while IFS= read -r file; do
    mkdir -p "$prefix/$(dirname "$file")"
    # Beside the old one and over it in one go: it may be running.
    cp "$file" "$prefix/$file.new"
    if [ -x "$file" ]; then chmod 755 "$prefix/$file.new"; else chmod 644 "$prefix/$file.new"; fi
    mv -f "$prefix/$file.new" "$prefix/$file"
done
mkdir -p "$prefix/share/kvmtui"
printf '%s\n' "$files" $list >"$prefix/$list"
echo "kvmtui is in $prefix/bin"
case :$PATH: in
*":$prefix/bin:"*) ;;
*) echo "PATH does not have that folder yet" ;;
esac
case $prefix in
/usr | /usr/local | "${HOME:-}/.local") ;;
*) echo "bash and fish look for completions below the folders of XDG_DATA_DIRS, zsh in fpath: $prefix/share has them" ;;
esac
