#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/strv.h"
#include "image/machine.h"
#include "image/manifest.h"
#include "image/oci.h"

#define A	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B	 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define MANIFEST "'mediaType':'application/vnd.oci.image.manifest.v1+json'"
#define CONFIG                                                                                 \
	"'config':{'mediaType':'application/vnd.oci.image.config.v1+json','digest':'sha256:" A \
	"','size':3}"
#define LAYER                                                                            \
	"{'mediaType':'application/vnd.oci.image.layer.v1.tar+gzip','digest':'sha256:" B \
	"','size':5}"
#define PLAIN                                                                             \
	"{'mediaType':'application/vnd.docker.image.rootfs.diff.tar','digest':'sha256:" A \
	"','size':7}"
#define FOR(a)	  "'platform':{'architecture':'" a "','os':'linux'}"
#define ONE(d, m) "{'digest':'sha256:" d "','size':1," MANIFEST m "}"

/* JSON with ' for ". */
static char *json(const char *text)
{
	char *copy = xstrdup(text);

	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	return copy;
}

static int read_index(const char *text, struct oci_blob *ret, struct error **err)
{
	_cleanup_free_ char *copy = json(text);

	return oci_read_index(copy, strlen(copy), "index.json", "amd64", ret, err);
}

static int read_manifest(const char *text, struct oci_manifest *ret, struct error **err)
{
	_cleanup_free_ char *copy = json(text);

	return oci_read_manifest(copy, strlen(copy), "the manifest", ret, err);
}

static int read_config(const char *text, struct oci_config *ret, struct error **err)
{
	_cleanup_free_ char *copy = json(text);

	return oci_read_config(copy, strlen(copy), "the configuration", ret, err);
}

static int read_docker(const char *text, struct docker_manifest *ret, struct error **err)
{
	_cleanup_free_ char *copy = json(text);

	return docker_read_manifest(copy, strlen(copy), "manifest.json", ret, err);
}

/* `at` is read after the call that may set it. */
static void assert_message(int r, struct error *const *at, int code, const char *why)
{
	const struct error *err = *at;

	if (r != -code)
		fail_msg("%d where %d is expected: %s", r, -code, err ? err->message : "no error");
	assert_non_null(err);
	if (!strstr(err->message, why))
		fail_msg("'%s' expected in '%s'", why, err->message);
	assert_null(strchr(err->message, '\n'));
	assert_null(strchr(err->message, '\033'));
	assert_true(strlen(err->message) < 300);
}

static void test_layout(void **state)
{
	static const char good[] = "{\"imageLayoutVersion\": \"1.0.0\"}";
	static const char *const bad[] = { "", "[]", "{}", "{\"imageLayoutVersion\": \"2.0.0\"}",
					   "{\"imageLayoutVersion\": 1}" };
	struct error *err = NULL;
	(void)state;

	assert_int_equal(oci_read_layout(good, strlen(good), "oci-layout", &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_(error_freep) struct error *e = NULL;

		assert_int_equal(oci_read_layout(bad[i], strlen(bad[i]), "oci-layout", &e),
				 -EINVAL);
	}
}

static void test_index(void **state)
{
	static const char *const good[] = {
		"{'manifests':[" ONE(B, "") "]}",
		"{'manifests':[" ONE(A, "," FOR("arm64")) "," ONE(B, "," FOR("amd64")) "]}",
		"{'manifests':[" ONE(B, "," FOR("amd64")) "," ONE(A, "," FOR("unknown")) "]}",
		"{'more':[{}],'manifests':[" ONE(B, ",'annotations':{'a':'b'}") "]}",
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		_cleanup_(oci_blob_release) struct oci_blob blob = { 0 };
		_cleanup_(error_freep) struct error *err = NULL;

		assert_int_equal(read_index(good[i], &blob, &err), 0);
		assert_string_equal(blob.digest, B);
		assert_int_equal(blob.size, 1);
		assert_int_equal(blob.media, OCI_MANIFEST);
	}
}

static const struct {
	int code;
	const char *why;
	const char *text;
} bad_indexes[] = {
	{ EINVAL, "no JSON", "" },
	{ EINVAL, "no JSON", "{'manifests':[" },
	{ EINVAL, "no JSON", "{'manifests':[],'manifests':[]}" },
	{ EINVAL, "no JSON", "{'\033[2J\n':1,'\033[2J\n':1}" },
	{ EINVAL, "not what is expected", "[]" },
	{ EINVAL, "no list", "{}" },
	{ EINVAL, "no list", "{'manifests':{}}" },
	{ ENOENT, "no image for amd64, but for nothing", "{'manifests':[]}" },
	{ ENOENT, "but for arm64", "{'manifests':[" ONE(A, "," FOR("arm64")) "]}" },
	{ ENOENT, "but for \\x1b[2J", "{'manifests':[" ONE(A, "," FOR("\\u001b[2J")) "]}" },
	{ ENOENT, "no image for amd64",
	  "{'manifests':[" ONE(A, ",'platform':{'architecture':'amd64','os':'windows'}") "]}" },
	{ ENOTUNIQ, "2 images", "{'manifests':[" ONE(A, "") "," ONE(B, "") "]}" },
	{ EINVAL, "without a SHA-256", "{'manifests':[" ONE("../../../etc/passwd", "") "]}" },
	{ EINVAL, "without a SHA-256", "{'manifests':[" ONE(A "a", "") "]}" },
	{ EINVAL, "without a SHA-256", "{'manifests':[" ONE(A "/../..", "") "]}" },
	{ EINVAL, "without a SHA-256",
	  "{'manifests':[{" MANIFEST ",'size':1,'digest':'sha512:" A A "'}]}" },
	{ EINVAL, "without type or size", "{'manifests':[{'digest':'sha256:" A "','size':1}]}" },
	{ EINVAL, "without type or size",
	  "{'manifests':[{'digest':'sha256:" A "'," MANIFEST "}]}" },
	{ EINVAL, "without type or size",
	  "{'manifests':[{'digest':'sha256:" A "','size':-1," MANIFEST "}]}" },
	{ EINVAL, "without type or size",
	  "{'manifests':[{'digest':'sha256:" A "','size':1e3," MANIFEST "}]}" },
	{ EINVAL, "no JSON",
	  "{'manifests':[{'digest':'sha256:" A "','size':99999999999999999999," MANIFEST "}]}" },
	{ EINVAL, "is no image", "{'manifests':[" LAYER "]}" },
	{ EINVAL, "type 'text/\\x1bhtml'",
	  "{'manifests':[{'mediaType':'text/\\u001bhtml','digest':'sha256:" A "','size':1}]}" },
	{ EINVAL, "without type", "{'manifests':['a']}" },
};

static void test_bad_indexes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_indexes); i++) {
		_cleanup_(error_freep) struct error *err = NULL;
		struct oci_blob blob = { .digest = NULL };
		int r = read_index(bad_indexes[i].text, &blob, &err);

		assert_message(r, &err, bad_indexes[i].code, bad_indexes[i].why);
		assert_null(blob.digest);
	}
}

static void test_manifest(void **state)
{
	_cleanup_(oci_manifest_release) struct oci_manifest m = { 0 };
	_cleanup_(error_freep) struct error *err = NULL;
	(void)state;

	assert_int_equal(read_manifest("{" CONFIG ",'layers':[" LAYER "," PLAIN "]}", &m, &err), 0);
	assert_string_equal(m.config.digest, A);
	assert_int_equal(m.n_layers, 2);
	assert_string_equal(m.layers[0].digest, B);
	assert_int_equal(m.layers[0].media, OCI_LAYER_PACKED);
	assert_int_equal(m.layers[0].size, 5);
	assert_int_equal(m.layers[1].media, OCI_LAYER);
}

static void test_bad_manifests(void **state)
{
	static const struct {
		const char *why;
		const char *text;
	} cases[] = {
		{ "without type", "{}" },
		{ "no layers", "{" CONFIG "}" },
		{ "no layers", "{" CONFIG ",'layers':[]}" },
		{ "no layers", "{" CONFIG ",'layers':'a'}" },
		{ "without type", "{" CONFIG ",'layers':[1]}" },
		{ "no archive",
		  "{" CONFIG ",'layers':[{" MANIFEST ",'digest':'sha256:" A "','size':1}]}" },
		{ "no archive", "{" CONFIG ",'layers':[" LAYER ",{" MANIFEST ",'digest':'sha256:" A
				"','size':1}]}" },
		{ "not known", "{" CONFIG ",'layers':[{'mediaType':'application/"
			       "vnd.docker.image.rootfs.foreign.diff.tar.gzip',"
			       "'digest':'sha256:" A "','size':1}]}" },
		{ "configuration is none", "{'config':" LAYER ",'layers':[" LAYER "]}" },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(error_freep) struct error *err = NULL;
		struct oci_manifest m = { .n_layers = 0 };

		assert_message(read_manifest(cases[i].text, &m, &err), &err, EINVAL, cases[i].why);
	}
}

/* N elements between brackets. */
static char *repeated(const char *before, const char *one, size_t n, const char *after)
{
	_cleanup_buf_ struct buf text = { 0 };

	buf_adds(&text, before);
	for (size_t i = 0; i < n; i++)
		buf_addf(&text, "%s%s", i ? "," : "", one);
	buf_adds(&text, after);
	return buf_take(&text);
}

static void test_too_many_layers(void **state)
{
	_cleanup_free_ char *many = repeated("{" CONFIG ",'layers':[", LAYER, 10000, "]}");
	_cleanup_free_ char *few = repeated("{" CONFIG ",'layers':[", LAYER, MANIFEST_LAYERS_MAX,
					    "]}");
	_cleanup_free_ char *ids = repeated("{'rootfs':{'diff_ids':[", "'sha256:" A "'", 10000,
					    "]}}");
	_cleanup_free_ char *names = repeated("[{'Config':'a','Layers':[", "'b'", 10000, "]}]");
	_cleanup_(oci_manifest_release) struct oci_manifest m = { 0 };
	_cleanup_(error_freep) struct error *e = NULL, *f = NULL, *g = NULL;
	struct oci_config c;
	struct docker_manifest d;
	struct error *none = NULL;
	(void)state;

	assert_message(read_manifest(many, &m, &e), &e, E2BIG, "more than 32 layers");
	assert_message(read_config(ids, &c, &f), &f, E2BIG, "more than 32");
	assert_message(read_docker(names, &d, &g), &g, E2BIG, "more than 32 layers");
	assert_int_equal(read_manifest(few, &m, &none), 0);
	assert_int_equal(m.n_layers, MANIFEST_LAYERS_MAX);
}

static void test_deep_and_large(void **state)
{
	_cleanup_(error_freep) struct error *e = NULL, *f = NULL, *g = NULL;
	_cleanup_free_ char *large = xcalloc(1, OCI_TEXT_MAX + 2);
	_cleanup_free_ char *long_list = repeated("{'manifests':[", "{}", OCI_ENTRIES_MAX + 1,
						  "]}");
	struct oci_blob blob;
	(void)state;

	memset(large, '[', OCI_TEXT_MAX + 1);
	assert_message(oci_read_index(large, OCI_TEXT_MAX + 1, "i", "amd64", &blob, &e), &e, E2BIG,
		       "more than 4 MB");
	assert_message(oci_read_index(large, OCI_TEXT_MAX, "i", "amd64", &blob, &f), &f, EINVAL,
		       "no JSON");
	assert_message(read_index(long_list, &blob, &g), &g, EINVAL, "too long");
}

static void test_config(void **state)
{
	_cleanup_(oci_config_release) struct oci_config c = { 0 };
	_cleanup_(error_freep) struct error *err = NULL;
	(void)state;

	assert_int_equal(
		read_config("{'architecture':'amd64','os':'linux','rootfs':{'type':'layers',"
			    "'diff_ids':['sha256:" A "','sha256:" B "']}}",
			    &c, &err),
		0);
	assert_string_equal(c.architecture, "amd64");
	assert_int_equal(strv_length(c.layers), 2);
	assert_string_equal(c.layers[1], B);
}

static void test_bad_configs(void **state)
{
	static const struct {
		int code;
		const char *why;
		const char *text;
	} cases[] = {
		{ EINVAL, "no JSON", "{'os':" },
		{ EINVAL, "another system", "{'os':'windows','rootfs':{'diff_ids':[]}}" },
		{ E2BIG, "no layers", "{'os':'linux'}" },
		{ E2BIG, "no layers", "{'rootfs':{'diff_ids':{}}}" },
		{ EINVAL, "SHA-256", "{'rootfs':{'diff_ids':['" A "']}}" },
		{ EINVAL, "SHA-256", "{'rootfs':{'diff_ids':[1]}}" },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(error_freep) struct error *err = NULL;
		struct oci_config c;

		assert_message(read_config(cases[i].text, &c, &err), &err, cases[i].code,
			       cases[i].why);
	}
}

static void test_docker(void **state)
{
	static const struct {
		int code;
		const char *why;
		const char *text;
	} cases[] = {
		{ EINVAL, "not what is expected", "{}" },
		{ ENOTUNIQ, "0 images", "[]" },
		{ ENOTUNIQ, "2 images", "[{},{}]" },
		{ EINVAL, "no configuration", "[{}]" },
		{ EINVAL, "no configuration", "['a']" },
		{ EINVAL, "no layers", "[{'Config':'a','Layers':[]}]" },
		{ EINVAL, "without a name", "[{'Config':'a','Layers':['b',1]}]" },
	};
	_cleanup_(docker_manifest_release) struct docker_manifest m = { 0 };
	struct error *none = NULL;
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(error_freep) struct error *err = NULL;

		assert_message(read_docker(cases[i].text, &m, &err), &err, cases[i].code,
			       cases[i].why);
	}
	assert_int_equal(
		read_docker("[{'Config':'c.json','RepoTags':null,'Layers':['a/layer.tar','b']}]",
			    &m, &none),
		0);
	assert_string_equal(m.config, "c.json");
	assert_string_equal(m.layers[0], "a/layer.tar");
	assert_string_equal(m.layers[1], "b");
	assert_null(m.layers[2]);
}

static void test_machines(void **state)
{
	(void)state;
	assert_string_equal(machine_by_kernel("aarch64")->oci, "arm64");
	assert_string_equal(machine_by_kernel("ppc64le")->debian, "ppc64el");
	assert_null(machine_by_kernel("pdp11"));
}

int main(void)
{
	/* clang-format off */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_index),
		cmocka_unit_test(test_bad_indexes),
		cmocka_unit_test(test_manifest),
		cmocka_unit_test(test_bad_manifests),
		cmocka_unit_test(test_too_many_layers),
		cmocka_unit_test(test_deep_and_large),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_bad_configs),
		cmocka_unit_test(test_docker),
		cmocka_unit_test(test_machines),
	};
	/* clang-format on */

	return cmocka_run_group_tests(tests, NULL, NULL);
}
