#pragma once

/* What the text of a value must look like, and how a message says so. */

#include <stdbool.h>

struct text_check {
	bool (*is_valid)(const char *s);
	const char *expected; /* "KEY= must be ..." */
};

extern const struct text_check check_any;
extern const struct text_check check_argument;
extern const struct text_check check_bus_name;
extern const struct text_check check_bus_rule;
extern const struct text_check check_colour;
extern const struct text_check check_command;
extern const struct text_check check_host_path;
extern const struct text_check check_kept_path;
extern const struct text_check check_locale;
extern const struct text_check check_name;
extern const struct text_check check_package;
extern const struct text_check check_rule;
extern const struct text_check check_sample;
extern const struct text_check check_screen;
extern const struct text_check check_step;
extern const struct text_check check_time_zone;
extern const struct text_check check_title;
extern const struct text_check check_variable;
