/* The pure parts of box/: what is read from the system and from other processes. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/strv.h"
#include "box/job.h"
#include "base/subid.h"
#include "box/nested.h"
#include "box/verify.h"
#include "tests/unit/unit.h"

static int find(const char *text, uint32_t *ret)
{
	struct error *error = NULL;
	int r = subid_parse(text, "/etc/subuid", "ann", 1000, 65536, ret, &error);

	error_free(error);
	return r;
}

static void test_subid_finds_own_range(void **state)
{
	uint32_t first;

	(void)state;
	assert_int_equal(find("bob:100000:65536\nann:165536:65536\n", &first), 0);
	assert_int_equal(first, 165536);
	assert_int_equal(find("1000:165536:65536", &first), 0);
	assert_int_equal(find("ann:1:2:3:4\nann:x:65536\n\nann:231072:65536\n", &first), 0);
	assert_int_equal(first, 231072);
}

static void test_subid_refuses(void **state)
{
	static const struct {
		const char *text;
		int result;
	} rows[] = {
		{ "", -ENOENT },
		{ "bob:100000:65536\n", -ENOENT },
		{ "ann:100000:65535\n", -ENOENT },	 /* too small */
		{ "ann:0:65536\n", -EINVAL },		 /* system ids */
		{ "ann:999:65536\n", -EINVAL },		 /* system ids */
		{ "ann:1000:65536\n", -EINVAL },	 /* the user's own id */
		{ "ann:4294967000:65536\n", -EINVAL },	 /* beyond the last id */
		{ "ann:100000000000:65536\n", -ENOENT }, /* no number */
		{ "ann:-1:65536\n", -ENOENT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t first;

		assert_int_equal(find(rows[i].text, &first), rows[i].result);
	}
}

#define CAPS(v) "CapInh:\t" v "\nCapPrm:\t" v "\nCapEff:\t" v "\nCapBnd:\t" v "\nCapAmb:\t" v "\n"
#define NO_CAPS CAPS("0000000000000000")
#define IDS	"Name:\tx\nUid:\t5\t5\t5\t5\nGid:\t6\t6\t6\t6\nGroups:\t \n"
#define REST	"NoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t3\n"

static void test_confinement(void **state)
{
	static const struct confinement want = { .uid = 5, .gid = 6, .filters = 3 };
	static const struct {
		const char *status;
		int result;
	} rows[] = {
		{ IDS NO_CAPS REST, 0 },
		{ "", -ENOTSUP },
		{ IDS NO_CAPS "NoNewPrivs:\t1\nSeccomp:\t2\n", -ENOTSUP },
		{ IDS CAPS("0000000000000001") REST, -EPERM },
		{ IDS NO_CAPS "NoNewPrivs:\t0\nSeccomp:\t2\nSeccomp_filters:\t3\n", -EPERM },
		{ IDS NO_CAPS "NoNewPrivs:\t1\nSeccomp:\t0\nSeccomp_filters:\t0\n", -EPERM },
		{ IDS NO_CAPS "NoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t2\n", -EPERM },
		{ "Uid:\t5\t0\t5\t5\nGid:\t6\t6\t6\t6\nGroups:\t\n" NO_CAPS REST, -EPERM },
		{ "Uid:\t5\t5\t5\t5\nGid:\t6\t6\t6\t7\nGroups:\t\n" NO_CAPS REST, -EPERM },
		{ "Uid:\t5\t5\t5\t5\nGid:\t6\t6\t6\t6\nGroups:\t4 24\n" NO_CAPS REST, -EPERM },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error *error = NULL;

		assert_int_equal(confinement_check(rows[i].status, &want, &error), rows[i].result);
		error_free(error);
	}
}

static void test_id_maps(void **state)
{
	static const struct {
		const char *map;
		int result;
		uint32_t user; /* 0: 101025 */
	} rows[] = {
		{ "         0     101024          1\n      1000     101025          1\n", 0, 0 },
		{ "0 101024 1\n1000 1000 1\n", 0, 1000 },		   /* UidMode=user */
		{ "0 1000 1\n1000 101025 1\n", -EPERM, 1000 },		   /* not as root */
		{ "0 101024 1\n7 1000 1\n1000 101025 1\n", -EPERM, 1000 }, /* not as another */
		{ "0 101024 1\n1000 101025 1\n", -EPERM, 1000 },	   /* not at all */
		{ "0 101024 1\n", -EPERM, 0 },			  /* the user is not mapped */
		{ "0 0 1\n1000 101025 1\n", -EPERM, 0 },	  /* the host's root */
		{ "0 101024 1\n1000 1000 1\n", -EPERM, 0 },	  /* the user's own id */
		{ "0 101024 65536\n1000 101025 1\n", -EPERM, 0 }, /* more than one */
		{ "0 101024 1\n1000 101028 1\n", -EPERM, 0 },	  /* the next slice */
		{ "0 101024 1\n1000 101026 1\n", -EPERM, 0 },	  /* not where it should be */
		{ "0 101024 1\n1000 101025\n", -EPERM, 0 },
		{ "junk\n", -EPERM, 0 },
		{ "", -EPERM, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error *error = NULL;

		assert_int_equal(id_map_check(rows[i].map, "uid_map", 1000,
					      rows[i].user ? rows[i].user : 101025, 101024, &error),
				 rows[i].result);
		error_free(error);
	}
}

static void test_id_map_base(void **state)
{
	struct error *error = NULL;
	uint32_t base;

	(void)state;
	assert_int_equal(id_map_base("0 100000 65536\n65536 1000 1\n", &base, &error), 0);
	assert_int_equal(base, 100000);
	assert_int_equal(id_map_base("0 100000 1\n", &base, &error), -EPERM);
	error_free(error);
}

static void test_job_round_trip(void **state)
{
	struct box_mount mounts[] = { { .source = MOUNT_HOST,
					.name = (char *)"/a,b",
					.target = (char *)"/t",
					.owner = -1 } };
	struct box_file files[] = {
		{ .path = (char *)"/etc/x", .content = (char *)"y\n", .mode = 0644 }
	};
	struct job in = {
		.supervisor = 7,
		.name = (char *)"n",
		.tree = (char *)"/run/vitrine/n",
		.config = (char *)"lxc.a = b\n",
		.label = (char *)"vitrine-app//&:vitrine-1000:x",
		.namespace = (char *)"vitrine-1000",
		.policy = (char *)"\0\1\2",
		.policy_size = 3,
		.box = { .kind = BOX_VIEWER,
			 .image_layers = (char *[]){ (char *)"/i", (char *)"/j", NULL },
			 .mounts = mounts,
			 .n_mounts = 1,
			 .files = files,
			 .n_files = 1 },
	};
	_cleanup_(job_release) struct job out = { 0 };
	_cleanup_buf_ struct buf data = { 0 };
	struct error *error = NULL;

	(void)state;
	job_write(&in, &data);
	assert_int_equal(job_read(data.data, data.size, &out, &error), 0);
	assert_string_equal(out.box.mounts[0].name, "/a,b");
	assert_int_equal(out.box.mounts[0].owner, -1);
	assert_string_equal(out.box.files[0].content, "y\n");
	assert_int_equal(out.box.kind, BOX_VIEWER);
	assert_string_equal(out.label, in.label);
	assert_string_equal(out.namespace, in.namespace);
	assert_int_equal(out.policy_size, in.policy_size);
	assert_memory_equal(out.policy, in.policy, in.policy_size);

	/* Every shorter message is refused, and none is read beyond its end. */
	for (size_t size = 0; size < data.size; size++) {
		_cleanup_free_ char *part = xmalloc(size);

		memcpy(part, data.data, size);
		assert_true(job_read(part, size, &(struct job){ 0 }, &error) < 0);
		error = error_free(error);
	}
}

/* Whatever cannot be limited is no box. */
static void test_limits_on_namespaces_are_refused(void **state)
{
	static const uint32_t none[NAMESPACE_KIND_MAX] = { 0 };
	struct error *error = NULL;

	(void)state;
	assert_refused(nested_limit(getpid(), none, &error), error, EINVAL,
		       "cannot enter its user namespace");
	assert_refused(nested_limit(INT32_MAX, none, &error), error, ENOENT, "cannot open");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_subid_finds_own_range),
		cmocka_unit_test(test_subid_refuses),
		cmocka_unit_test(test_confinement),
		cmocka_unit_test(test_id_maps),
		cmocka_unit_test(test_id_map_base),
		cmocka_unit_test(test_job_round_trip),
		cmocka_unit_test(test_limits_on_namespaces_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
