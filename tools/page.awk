# SPDX-License-Identifier: GPL-2.0-only
# Makes a page for scdoc of a text for --help: usage, paragraphs, and options, which two blanks are in front of.

# What scdoc would take for a mark of its own.
function plain(text) {
	gsub(/[\\*_`#~<]/, "\\\\&", text)
	sub(/^[-|[]/, "\\\\&", text)
	return text
}

function section(name) {
	if (name != current)
		printf "\n# %s\n\n", name
	current = name
}

BEGIN {
	name = "sidestep-" tool
	printf "%s(1)\n\n# NAME\n\n%s - %s\n", name, name, what
}

# The text of the package has other names than the source.
{
	gsub("tools/" tool "\\.d", "\001")
	gsub("tools/" tool, name)
	gsub("\001", "/usr/share/sidestep/tools/" tool ".d")
	sub(/^docs\//, "/usr/share/doc/sidestep/&")
}

/^usage: / || (current == "SYNOPSIS" && /^ /) {
	section("SYNOPSIS")
	sub(/^usage: */, "")
	sub(/^ */, "")
	sub("^" name, "")
	printf "%s*%s*%s", between, name, plain($0)
	between = "++\n"
	next
}

/^(positional arguments|options):$/ { next }

# The text of an option that is too long for its line goes on in the next one.
/^  [^ ]/ {
	if (current == "DESCRIPTION")
		section("OPTIONS")
	sub(/^  /, "")
	term = $0
	# Where texts begin, if one blank is all that is left in front of it.
	if (!sub(/   *.*/, "", term))
		term = substr($0, 1, 22)
	text = substr($0, length(term) + 1)
	sub(/^ */, "", text)
	printf "\n*%s*\n\t%s\n", plain(term), plain(text)
	blank = 0
	indented = 1
	next
}

/^            / {
	sub(/^ */, "")
	printf "\t%s\n", plain($0)
	next
}

/^$/ {
	blank = 1
	print ""
	next
}

/^Exit status: / && !statuses++ {
	section("EXIT STATUS")
	sub(/^Exit status: /, "")
	print plain($0)
	blank = indented = 0
	next
}

{
	if (current == "SYNOPSIS")
		print ""
	if (current == "SYNOPSIS" || blank && current != "DESCRIPTION")
		section(current == "SYNOPSIS" ? "DESCRIPTION" : "NOTES")
	if (indented)
		print ""
	blank = indented = 0
	print plain($0)
}

END { printf "\n# SEE ALSO\n\nsidestep(1)\n" }
