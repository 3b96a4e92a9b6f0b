#include <string.h>

#include "view/exposure-rows.h"

static unsigned measure_uid(const struct view *v)
{
	return v->plan->uid_mode == UID_USER ? EXPOSURE_WHOLE : 0;
}

static bool tell_uid(const struct view *v, struct buf *out)
{
	bool own = v->plan->uid_mode == UID_USER;

	buf_adds(out, own ? "It can do with your files what you can, if it gets out of its box: "
			    "it has your own user id (UidMode=user)."
			  : "It cannot touch your processes and files even outside of its box: "
			    "its user id belongs to nobody else.");
	return own;
}

static bool tell_name(const struct view *v, struct buf *out)
{
	buf_addf(out, "It can know your login name, your number (%u) and the path of your home.",
		 view_app(v)->uid);
	return true;
}

static bool is_host(const char *value)
{
	return value && !strcmp(value, KEY_HOST);
}

static unsigned measure_host_name(const struct view *v)
{
	return is_host(v->profile->host_name) ? EXPOSURE_WHOLE : 0;
}

static bool tell_host_name(const struct view *v, struct buf *out)
{
	bool told = is_host(v->profile->host_name);

	buf_addf(out,
		 told ? "It can know the name of this computer."
		      : "It cannot know the name of this computer: it is told '%s'.",
		 view_app(v)->host_name);
	return told;
}

static unsigned measure_time_zone(const struct view *v)
{
	return is_host(v->profile->time_zone) ? EXPOSURE_WHOLE : 0;
}

static bool tell_time_zone(const struct view *v, struct buf *out)
{
	bool told = is_host(v->profile->time_zone);

	buf_addf(out,
		 told ? "It can know your time zone."
		      : "It cannot know your time zone: it is told '%s'.",
		 v->profile->time_zone);
	return told;
}

static unsigned measure_locale(const struct view *v)
{
	return is_host(v->profile->locale) ? EXPOSURE_WHOLE : 0;
}

static bool tell_locale(const struct view *v, struct buf *out)
{
	bool told = is_host(v->profile->locale);

	buf_addf(out,
		 told ? "It can know your language."
		      : "It cannot know your language: it is told '%s'.",
		 v->profile->locale);
	return told;
}

static bool tell_machine_id(const struct view *v, struct buf *out)
{
	(void)v;
	buf_adds(out, "It cannot know this machine by its machine-id or boot id: they are new each "
		      "time.");
	return false;
}

static const struct exposure rows[] = {
	/* clang-format off */
	{ "Identity", "UidMode",  FEAR_IDENTITY, 40, measure_uid,       tell_uid },
	{ NULL,       NULL,       FEAR_IDENTITY, 0,  NULL,              tell_name },
	{ "Identity", "HostName", FEAR_IDENTITY, 1,  measure_host_name, tell_host_name },
	{ "Identity", "TimeZone", FEAR_IDENTITY, 1,  measure_time_zone, tell_time_zone },
	{ "Identity", "Locale",   FEAR_IDENTITY, 1,  measure_locale,    tell_locale },
	{ NULL,       NULL,       FEAR_IDENTITY, 0,  NULL,              tell_machine_id },
	/* clang-format on */
};

const struct exposure_part exposures_of_identity = { rows, ARRAY_SIZE(rows) };
