/* profile/order: which of two profiles gives more, by each kind of order. */

#include "profile/order.h"

#include "unit.h"

static struct profile *profile_of(const char *section, const char *lines)
{
	_cleanup_free_ char *text = xasprintf("[App]\nCommand=x\n[%s]\n%s", section, lines);
	struct profile *p = NULL;
	struct error *error = NULL;

	assert_done(profile_read(text, strlen(text), "f", "test", &p, &error), error);
	return p;
}

/* What the first gives and the second does not, as it is told; "" where there is nothing. */
static const struct {
	const char *section, *key, *a, *b, *more;
} rows[] = {
	/* ORDER_MORE */
	{ "Sound", "Playback", "Playback=yes\n", "", "Playback=yes\n" },
	{ "Sound", "Playback", "", "Playback=yes\n", "" },
	{ "Sound", "Playback", "Playback=yes\n", "Playback=yes\n", "" },
	{ "Files", "Home", "Home=kept\n", "Home=prepared\n", "Home=kept\n" },
	{ "Files", "Home", "Home=prepared\n", "Home=kept\n", "" },
	{ "Limits", "Memory", "Memory=2G\n", "Memory=1G\n", "Memory=2G\n" },
	{ "Limits", "Cpu", "", "Cpu=50%\n", "Cpu=\n" },
	{ "Limits", "Cpu", "Cpu=50%\n", "", "" },
	{ "Session", "Lifetime", "", "Lifetime=1h\n", "Lifetime=\n" },
	/* ORDER_LESS */
	{ "AppArmor", "Required", "", "Required=yes\n", "Required=no\n" },
	{ "AppArmor", "Required", "Required=yes\n", "", "" },
	/* ORDER_FLAGS: neither direction is more than the other one, each is more than it */
	{ "Display", "Clipboard", "Clipboard=to-desktop\n", "Clipboard=to-sandbox\n",
	  "Clipboard=to-desktop\n" },
	{ "Display", "Clipboard", "Clipboard=to-sandbox\n", "Clipboard=to-desktop\n",
	  "Clipboard=to-sandbox\n" },
	{ "Display", "Clipboard", "Clipboard=both\n", "Clipboard=to-sandbox\n",
	  "Clipboard=both\n" },
	{ "Display", "Clipboard", "Clipboard=to-desktop\n", "Clipboard=both\n", "" },
	{ "Display", "Clipboard", "", "Clipboard=to-desktop\n", "" },
	/* ORDER_CHANGE */
	{ "Seccomp", "Policy", "Policy=browser\n", "Policy=media\n", "Policy=browser\n" },
	{ "Seccomp", "Policy", "", "Policy=media\n", "" },
	{ "Seccomp", "Policy", "Policy=media\n", "Policy=media\n", "" },
	/* ORDER_HOST */
	{ "Identity", "HostName", "HostName=host\n", "", "HostName=host\n" },
	{ "Identity", "HostName", "HostName=desk\n", "HostName=host\n", "" },
	{ "Identity", "HostName", "HostName=desk\n", "", "" },
	/* ORDER_SET and ORDER_SET_LESS */
	{ "Seccomp", "Allow", "Allow=a\nAllow=b\n", "Allow=b\n", "Allow=a\n" },
	{ "Seccomp", "Allow", "Allow=b\n", "Allow=b\nAllow=a\n", "" },
	{ "Seccomp", "Deny", "Deny=a\n", "Deny=a\nDeny=b\n", "Deny=b\n" },
	{ "Seccomp", "Deny", "Deny=a\nDeny=b\n", "Deny=a\n", "" },
	/* ORDER_PATHS: beneath is contained, a name that begins alike is not */
	{ "Files", "ReadOnly", "ReadOnly=~/a/b\n", "ReadOnly=~/a\n", "" },
	{ "Files", "ReadOnly", "ReadOnly=~/ab\n", "ReadOnly=~/a\n", "ReadOnly=~/ab\n" },
	{ "Files", "ReadOnly", "ReadOnly=~/a\n", "ReadOnly=~/a/b\n", "ReadOnly=~/a\n" },
	{ "Files", "ReadOnly", "ReadOnly=~/a\n", "ReadWrite=~/a\n", "" },
	{ "Files", "ReadWrite", "ReadWrite=~/a\n", "ReadOnly=~/a\n", "ReadWrite=~/a\n" },
	/* ORDER_NAMES: a pattern stands for its name and those beneath it; who may talk to a name
	 * may call all of it, and who has it may talk to it */
	{ "Bus", "Talk", "Talk=org.a.B\n", "Talk=org.a.*\n", "" },
	{ "Bus", "Talk", "Talk=org.a\n", "Talk=org.a.*\n", "" },
	{ "Bus", "Talk", "Talk=org.a.b.*\n", "Talk=org.a.*\n", "" },
	{ "Bus", "Talk", "Talk=org.ab.C\n", "Talk=org.a.*\n", "Talk=org.ab.C\n" },
	{ "Bus", "Talk", "Talk=org.a.*\n", "Talk=org.a.B\n", "Talk=org.a.*\n" },
	{ "Bus", "Talk", "Talk=org.a.*\n", "Talk=org.a\n", "Talk=org.a.*\n" },
	{ "Bus", "Talk", "Talk=org.a.B\n", "Own=org.a.*\n", "" },
	{ "Bus", "Own", "Own=org.a.B\n", "Talk=org.a.*\n", "Own=org.a.B\n" },
	{ "Bus", "Call", "Call=org.a.B=*\n", "Talk=org.a.*\n", "" },
	{ "Bus", "Call", "Call=org.a.B=org.a.B.Do\n", "Call=org.a.B=org.a.B.Do\n", "" },
	{ "Bus", "Call", "Call=org.a.B=*\n", "Call=org.a.B=org.a.B.Do\n", "Call=org.a.B=*\n" },
	{ "Bus", "Call", "Call=org.a.BC=*\n", "Talk=org.a.B\n", "Call=org.a.BC=*\n" },
	{ "Bus", "Talk", "Talk=org.a.B\n", "Call=org.a.B=*\n", "Talk=org.a.B\n" },
	{ "Bus", "Broadcast", "Broadcast=org.a.B=*\n", "Talk=org.a.B\n", "" },
	/* ORDER_NONE */
	{ "App", "Title", "Title=Another\n", "", "" },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(profile_freep) struct profile *a = profile_of(rows[i].section, rows[i].a);
		_cleanup_(profile_freep) struct profile *b = profile_of(rows[i].section, rows[i].b);
		const struct key *k = key_find(rows[i].section, rows[i].key);
		_cleanup_buf_ struct buf what = { 0 };

		assert_non_null(k);
		assert_int_equal(key_exceeds(k, a, b, &what), *rows[i].more != '\0');
		assert_string_equal(what.data ? what.data : "", rows[i].more);
		assert_int_equal(profile_exceeds(a, b), *rows[i].more != '\0');
	}
}

static void test_every_order_has_a_row(void **state)
{
	(void)state;
	for (size_t i = 0; key_at(i); i++) {
		bool found = false;

		for (size_t j = 0; j < ARRAY_SIZE(rows); j++)
			found = found ||
				key_find(rows[j].section, rows[j].key)->order == key_at(i)->order;
		assert_true(found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_every_order_has_a_row),
	};

	return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
