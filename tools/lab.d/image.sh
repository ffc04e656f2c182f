# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # variables and functions shared with tools/lab
#
# What a lab boots: finding the kernel, the initramfs around lab.d/init, and the archive with what is for one command.

# Kernels and states are kept where the programs are. Those of a package are nobody's to write to.
choose_cache() {
	local remedy='name a writable build directory with --build'
	cache=$build/lab-cache
	if [[ -e $build/installed ]]; then
		cache=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/sidestep/labs
		remedy='name a writable directory in XDG_CACHE_HOME'
	fi
	mkdir -p -- "$cache" || die "$cache: cannot be created: $remedy"
}

# --- kernels ------------------------------------------------------------------

# A meta package contains no kernel but depends on the package that does.
fetch_package() {
	local package=$1 into=$2 depth deb dependency
	for ((depth = 0; depth < 4; depth++)); do
		(cd "$into" && rm -f -- ./*.deb && apt-get -q download "$package") || return
		deb=$(echo "$into"/*.deb)
		# Not grep -q: dpkg-deb fails if its reader leaves early.
		if dpkg-deb --contents "$deb" | grep '/boot/vmlinuz-' >&2; then
			return 0
		fi
		dependency=$(dpkg-deb --field "$deb" Depends |
			sed -n 's/.*\(linux-image-[^ ,]*\) *(= *\([^)]*\)).*/\1=\2/p; t; s/.*\(linux-image-[^ ,]*\).*/\1/p')
		[[ -n $dependency ]] || break
		package=$dependency
	done
	echo "$1 is not a kernel package" >&2
	return 1
}

unpack_kernel() {
	local package=$1 tree=$2
	fresh=$(mktemp -d "$cache/new.XXXXXX")
	# The lock is ours, so whatever another run left half done is rubbish by now.
	find "$cache" -mindepth 1 -maxdepth 1 -name 'new.*' ! -path "$fresh" -exec rm -rf {} +
	mkdir "$fresh/deb" "$fresh/tree"
	chmod 755 "$fresh" "$fresh/deb"
	enter_phase "fetching $package"
	step "cannot fetch $package (if apt does not know it, run apt-get update)" fetch_package "$package" "$fresh/deb"
	enter_phase "unpacking $package"
	step "unpacking $package" dpkg-deb --extract "$fresh"/deb/*.deb "$fresh/tree"
	step "unpacking $package" mv -T -- "$fresh/tree" "$tree"
	rm -rf -- "$fresh"
	fresh=
}

# Sets tree to the directory that holds the kernel.
locate_kernel() {
	if [[ $kernel == */* || $kernel == . || -d $kernel ]]; then
		[[ -d $kernel ]] || die "$kernel: no such directory: name one with vmlinuz* and modules, or a package"
		tree=$(cd -- "$kernel" && pwd)
		return
	fi
	[[ $kernel =~ ^[a-z0-9][a-z0-9.+-]*(=[A-Za-z0-9.+:~-]+)?$ ]] ||
		die_usage "--kernel $kernel: neither a package name nor a directory"
	tree=$cache/$kernel
	[[ ! -d $tree ]] || return 0
	need apt-get apt
	need dpkg-deb dpkg
	enter_phase 'waiting for another lab that is fetching a kernel'
	exec 8>"$cache/lock"
	flock 8
	[[ -d $tree ]] || unpack_kernel "$kernel" "$tree"
	exec 8>&-
}

# Sets image; the newest if there are several.
find_kernel_image() {
	image=$(find -L "$tree" -maxdepth 2 -name 'vmlinuz*' -type f | sort -V | tail -n 1)
	[[ -n $image ]] || die "$tree: no vmlinuz* in it: name a directory with a kernel image"
	[[ -r $image ]] || die "$image: not readable: copy it to a directory of yours and name that"
}

# The version as the image states it chooses among several module trees.
find_module_files() {
	local version modules=$tree
	[[ ! -d $tree/lib/modules ]] || modules=$tree/lib/modules
	version=$(LC_ALL=C grep -a -o -m 1 '[0-9][^ ]* ([^ )]*@[^ )]*) #' "$image" | head -n 1 | cut -d ' ' -f 1) || true
	find -L "$modules" -name '*.ko' -o -name '*.ko.xz' -o -name '*.ko.gz' -o -name '*.ko.zst' >"$work/modules.all" 2>/dev/null || true
	if [[ -n $version ]] && grep -qF "/$version/" "$work/modules.all"; then
		grep -F "/$version/" "$work/modules.all" >"$work/modules.list"
	else
		mv -- "$work/modules.all" "$work/modules.list"
	fi
}

expand_module() {
	case $1 in
	*.xz) xz -dc -- "$1" ;;
	*.gz) gzip -dc -- "$1" ;;
	*.zst) zstd -qdc -- "$1" ;;
	*) cat -- "$1" ;;
	esac
}

# Checking a module's signature is half of what loading it takes in a lab, and Debian's kernels load one that has none
# as well; a kernel of somebody's own may insist. The file ends with the signature, a header of 12 bytes whose last 4
# are its size, and these words (the kernel's include/linux/module_signature.h).
drop_signature() {
	local file=$1 words='~Module signature appended~' bytes end
	bytes=($(tail -c 32 -- "$file" | od -An -v -tu1 -w32))
	printf -v end '\\x%x' "${bytes[@]:4}"
	printf -v end %b "$end"
	[[ $end == "$words"$'\n' ]] || return 0
	truncate -s "-$((28 + 12 + (bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3])))" -- "$file"
}

# add_module NAME [PARAMETER]...: to those that the lab loads, after what it depends on.
# Packages have no modules.dep (it is made at installation), so ask the module.
# A name without a file is built into the kernel, or its absence shows in the lab.
add_module() {
	local name=${1//-/_} file needed='' dependency
	shift
	[[ ! -e $root/lab/$name.ko ]] || return 0
	file=$(grep -m 1 -E "/${name//_/[_-]}\.ko(\.[a-z]+)?$" "$work/modules.list") || return 0
	step "$file: cannot be unpacked" expand_module "$file"
	mv -- "$work/step.out" "$root/lab/$name.ko"
	[[ $tree != "$cache"/* ]] || drop_signature "$root/lab/$name.ko"
	IFS= read -r -d '' needed < <(LC_ALL=C grep -a -z -m 1 '^depends=' "$root/lab/$name.ko" || :) || :
	needed=${needed#depends=}
	for dependency in ${needed//,/ }; do
		add_module "$dependency"
	done
	echo "$name $*" >>"$root/lab/modules"
}

# --- the file system of the lab -----------------------------------------------

library_directories=()

# libraries_of FILE...: what they load at run time, a path a line, each once. Of several, ldd has a line with the name
# before what each loads; it knows only what a program is linked with, and is told what else is named in a note of it.
libraries_of() {
	local file=$1 line name arrow path rest later
	local -A seen=()
	later=$(LC_ALL=C grep -aohE '"soname":\["[^"]+' -- "$@" | cut -d '"' -f 4 | sort -u) || :
	while IFS= read -r line; do
		if [[ $line != $'\t'* ]]; then
			file=${line%:}
			continue
		fi
		read -r name arrow path rest <<<"$line"
		[[ $path != not ]] || die "$file needs $name, which is not installed here ($arrow $path $rest)"
		[[ $arrow == '=>' ]] || path=$name
		[[ $path == /* && -e $path && -z ${seen[$path]-} ]] || continue
		seen[$path]=1
		printf '%s\n' "$path"
	done < <(LD_PRELOAD=${later//$'\n'/:} ldd "$@" 2>/dev/null || :)
}

# add_libraries FILE...: at the same paths.
add_libraries() {
	local found path paths=()
	found=$(libraries_of "$@") || exit
	while IFS= read -r path; do
		[[ ! -e $payload$path ]] || continue
		paths+=("$path")
		path=${path%/*}
		library_directories+=("${path:-/}")
	done <<<"$found"
	((${#paths[@]} == 0)) || step 'copying libraries' cp -L --parents -- "${paths[@]}" "$payload"
}

add_programs() { # FILE...
	step 'copying programs' install -D -m 755 -t "$payload/usr/bin" -- "$@"
	add_libraries "$@"
}

add_our_programs() {
	local file files=("$build/sidestep")
	for file in "$build"/tools/sidestep-bare "$build"/tests/lab/* "$build"/tests/attach/*; do
		[[ ! -f $file || ! -x $file ]] || files+=("$file")
	done
	add_programs "${files[@]}"
}

# Found as the shell finds it. A script would need more than the libraries of its interpreter.
add_named_programs() {
	local name file
	for name in ${withs[@]+"${withs[@]}"}; do
		file=$(type -P -- "$name") || die_usage "--with $name: no such program here"
		[[ $(head -c 2 -- "$file") != '#!' ]] ||
			die_usage "--with $name: $file is a script: name the program that it runs"
		add_programs "$file"
	done
}

add_put_files() {
	local pair left right
	for pair in ${puts[@]+"${puts[@]}"}; do
		split_pair "$pair" || die_usage "--put $pair: no file named"
		[[ -r $left && ! -d $left ]] || die "--put $left: not a readable file"
		[[ -n $right ]] || right=/tmp/$(basename -- "$left")
		[[ $right == /* ]] || right=/tmp/$right
		step "copying $left" install -D -m "$(stat -L -c %a -- "$left")" -- "$left" "$payload/$right"
		! [[ -x $left ]] || add_libraries "$left"
	done
}

add_settings() {
	local pair left right
	local IFS=:
	{
		printf 'split=%d share=%s\n' "$split" "${share:+/share}"
		((shell == 0)) || shell_settings
		printf 'LD_LIBRARY_PATH=%s\n' "$(quote "${library_directories[*]-}" | cut -c 2-)"
	} >"$payload/lab/command-settings"
	{
		printf 'exec'
		quote "${command[@]}"
		echo
	} >"$payload/lab/command"
	for pair in ${gets[@]+"${gets[@]}"}; do
		split_pair "$pair" || die_usage "--get $pair: no file named"
		printf "bring_back%s\n" "$(quote "$left")"
	done >"$payload/lab/gets"
}

# pack DIRECTORY ARCHIVE [TEST OF FIND]...: the same bytes whenever the files are the same. Unpacking costs emulated
# instructions, reading hardly any: so the archive is left uncompressed.
pack() {
	find "$1" -exec touch --no-dereference --date=@"$LAB_DATE" {} +
	(cd -- "$1" && find . -mindepth 1 "${@:3}" -print0 | sort -z |
		cpio --quiet --null --create --format=newc --owner=0:0 --reproducible) >"$2"
}

# What a state is made of.
build_root() {
	root=$work/root
	mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin,dev,proc,sys,tmp,run,root,etc,lab}
	step 'copying busybox' install -m 755 -- "$(command -v busybox)" "$root/bin/busybox"
	step 'copying init' install -m 755 -- "$parts/init" "$root/init"
	: >"$root/lab/modules"
	find_module_files
	recipe_modules
	printf 'block=%d first_block=%d free_block=%d disk=%s stop=%s\n' "$TRANSFER_BLOCK" $((transfer_base + TRANSFER_START)) \
		$((transfer_base + TRANSFER_BACK)) "$transfer_device" "$recipe_stop" >"$root/lab/settings"
	step 'copying lab-stop' install -m 755 -- "$build/tools/lab.d/lab-stop" "$root/lab/stop"
	step 'packing the initramfs' pack "$root" "$work/initrd"
}

# The directories are those of the lab: /tmp, for one, has a mode of its own there.
build_files() {
	payload=$work/files
	mkdir -p "$payload/lab"
	add_our_programs
	add_named_programs
	add_put_files
	if [[ $share ]]; then
		mkdir -p "$payload/share"
		step "copying $share" cp -a -- "$share/." "$payload/share"
		# What may not be written to could not be removed.
		find "$payload/share" -type d ! -perm -u+wx -exec chmod u+wx {} +
	fi
	add_settings
	step 'copying run' cp -- "$parts/run" "$payload/lab/run"
}

# To where the lab takes them from.
pass_files() {
	step 'packing the files' pack "$payload" "$work/archive" ! -type d
	(($(stat -c %s "$work/archive") <= (TRANSFER_BACK - TRANSFER_START) * TRANSFER_BLOCK)) ||
		die "more files than $(((TRANSFER_BACK - TRANSFER_START) * TRANSFER_BLOCK >> 20)) MiB: put less into the lab"
	step 'passing the files' dd if="$work/archive" of="$work/$transfer" bs="$TRANSFER_BLOCK" \
		seek=$((transfer_base + TRANSFER_START)) conv=notrunc
	rm -f -- "$work/archive"
}
