/* SPDX-License-Identifier: GPL-2.0-only */
/* The formats that each command writes, as --help says them and the command line is checked by. */
#ifndef VMM_CLI_FORMATS_H
#define VMM_CLI_FORMATS_H

#define FORMATS_TEST "text, tap, junit or json"
#define FORMATS_PLAIN "text or json"
#define FORMATS_REPORT "text, json, csv, tap, junit, html, trace or folded"
#define FORMATS_PROFILE "text, json or csv"

#endif
