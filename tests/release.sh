#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# release.sh SIDESTEP SOURCE VERSION: meson.build says which version this is, and whoever else says so agrees: the
# program, the newest heading of CHANGELOG.md, the newest entry of debian/changelog, and a tag of what is checked out.
# What the Debian package is built with is what tools/packages.sh names.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${BASH_SOURCE%/*}/lib.sh"
begin "$1"
source=$(realpath "$2") version=$3
# shellcheck source=../tools/packages.sh
. "$source/tools/packages.sh"

check 'the program' 0 '' "$sidestep" --version
that 'the program' [ "$(cat "$out")" = "sidestep $version" ]
that CHANGELOG.md [ "$(sed -n 's/^## \([0-9.]*\).*/\1/p;T;q' "$source/CHANGELOG.md")" = "$version" ]
# Behind a hyphen stands which package of that version it is.
packaged=$(sed -n '1s/^sidestep (\([0-9.]*\)\(-[0-9]*\)\?) .*/\1/p' "$source/debian/changelog")
that debian/changelog [ "$packaged" = "$version" ]
# A source without git has no tags, and of one that is somebody else's git says nothing.
for tag in $(git -C "$source" tag --points-at HEAD 'v[0-9]*' 2>/dev/null); do
	that "tag $tag" [ "$tag" = "v$version" ]
done

needed=$(sed -n '/^Build-Depends:/,/^[^ B]/p' "$source/debian/control")
for package in "${packages_build[@]}"; do
	case $package in
	gcc | libc6-dev | ninja-build) ;; # of build-essential, and of meson
	*) that "debian/control: $package" grep -qE "[ ,]$package([ ,:]|\$)" <<<"$needed" ;;
	esac
done
finish
