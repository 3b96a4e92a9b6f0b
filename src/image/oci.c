#include "image/oci.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "base/strv.h"
#include "base/text.h"
#include "image/manifest.h"

#define SHOWN_MAX 80 /* bytes of a value in a message */

static const struct {
	const char *name;
	enum oci_media media;
} media_types[] = {
	{ "application/vnd.oci.image.index.v1+json", OCI_INDEX },
	{ "application/vnd.docker.distribution.manifest.list.v2+json", OCI_INDEX },
	{ "application/vnd.oci.image.manifest.v1+json", OCI_MANIFEST },
	{ "application/vnd.docker.distribution.manifest.v2+json", OCI_MANIFEST },
	{ "application/vnd.oci.image.config.v1+json", OCI_CONFIG },
	{ "application/vnd.docker.container.image.v1+json", OCI_CONFIG },
	{ "application/vnd.oci.image.layer.v1.tar", OCI_LAYER },
	{ "application/vnd.docker.image.rootfs.diff.tar", OCI_LAYER },
	{ "application/vnd.oci.image.layer.v1.tar+gzip", OCI_LAYER_PACKED },
	{ "application/vnd.oci.image.layer.v1.tar+zstd", OCI_LAYER_PACKED },
	{ "application/vnd.docker.image.rootfs.diff.tar.gzip", OCI_LAYER_PACKED },
	{ "application/vnd.docker.image.rootfs.diff.tar.zstd", OCI_LAYER_PACKED },
};

void oci_blob_release(struct oci_blob *b)
{
	free(b->digest);
	*b = (struct oci_blob){ 0 };
}

void oci_manifest_release(struct oci_manifest *m)
{
	oci_blob_release(&m->config);
	for (size_t i = 0; i < m->n_layers; i++)
		oci_blob_release(&m->layers[i]);
	free(m->layers);
	*m = (struct oci_manifest){ 0 };
}

void oci_config_release(struct oci_config *c)
{
	free(c->architecture);
	strv_free(c->layers);
	*c = (struct oci_config){ 0 };
}

void docker_manifest_release(struct docker_manifest *m)
{
	free(m->config);
	strv_free(m->layers);
	*m = (struct docker_manifest){ 0 };
}

static int refuse(struct error **err, const char *what, const char *why)
{
	return error_set(err, EINVAL, "%s: %s", what, why);
}

/* The value, of the wanted type, in an object: a new reference. */
static int load(const char *text, size_t size, const char *what, json_type type, json_t **ret,
		struct error **err)
{
	json_error_t why;
	json_auto_t *top = NULL;

	if (size > OCI_TEXT_MAX)
		return error_set(err, E2BIG, "%s: more than %u MB", what, OCI_TEXT_MAX >> 20);
	top = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
	if (!top) {
		_cleanup_free_ char *shown = text_escape(why.text, SHOWN_MAX);

		return error_set(err, EINVAL, "%s:%d: no JSON: %s", what, why.line, shown);
	}
	if (json_typeof(top) != type)
		return refuse(err, what, "not what is expected there");
	*ret = json_incref(top);
	return 0;
}

/* NULL where it is none. */
static char *read_digest(const char *s)
{
	static const char algorithm[] = "sha256:";

	if (!s || strncmp(s, algorithm, strlen(algorithm)) != 0)
		return NULL;
	s += strlen(algorithm);
	if (strspn(s, "0123456789abcdef") != DIGEST_HEX || s[DIGEST_HEX])
		return NULL;
	return xstrdup(s);
}

/* "mediaType", "digest", "size" */
static int read_blob(const json_t *o, const char *what, struct oci_blob *ret, struct error **err)
{
	const char *type = json_string_value(json_object_get(o, "mediaType"));
	const json_t *size = json_object_get(o, "size");
	enum oci_media media = OCI_MEDIA_MAX;
	char *digest;

	if (!type || !json_is_integer(size) || json_integer_value(size) < 0)
		return refuse(err, what, "a part without type or size");
	for (size_t i = 0; i < ARRAY_SIZE(media_types); i++)
		if (!strcmp(media_types[i].name, type))
			media = media_types[i].media;
	if (media == OCI_MEDIA_MAX) {
		_cleanup_free_ char *shown = text_escape(type, SHOWN_MAX);

		return error_set(err, EINVAL, "%s: parts of type '%s' are not known", what, shown);
	}
	digest = read_digest(json_string_value(json_object_get(o, "digest")));
	if (!digest)
		return refuse(err, what, "a part without a SHA-256 digest");
	*ret = (struct oci_blob){
		.media = media,
		.digest = digest,
		.size = (uint64_t)json_integer_value(size),
	};
	return 0;
}

int oci_read_layout(const char *text, size_t size, const char *what, struct error **err)
{
	json_auto_t *top = NULL;
	const char *version;
	int r;

	r = load(text, size, what, JSON_OBJECT, &top, err);
	if (r < 0)
		return r;
	version = json_string_value(json_object_get(top, "imageLayoutVersion"));
	if (!version || strncmp(version, "1.", 2) != 0)
		return refuse(err, what, "an OCI image layout of another version than 1");
	return 0;
}

/* --- index ------------------------------------------------------------------------------------ */

/* An entry without a platform may be for any. */
static bool is_for(const json_t *entry, const char *architecture)
{
	const json_t *platform = json_object_get(entry, "platform");
	const char *has = json_string_value(json_object_get(platform, "architecture"));
	const char *os = json_string_value(json_object_get(platform, "os"));

	return !platform || (has && os && !strcmp(has, architecture) && !strcmp(os, "linux"));
}

/* "amd64, arm64" */
static char *architectures(const json_t *entries)
{
	_cleanup_strv_ char **all = NULL;
	_cleanup_free_ char *text = NULL;
	const json_t *entry;
	size_t i;

	json_array_foreach(entries, i, entry)
	{
		const json_t *platform = json_object_get(entry, "platform");
		const char *s = json_string_value(json_object_get(platform, "architecture"));

		if (s && !strv_contains(all, s))
			strv_add(&all, s);
	}
	text = strv_join(all, ", ");
	return text_escape(text && *text ? text : "nothing", SHOWN_MAX);
}

int oci_read_index(const char *text, size_t size, const char *what, const char *architecture,
		   struct oci_blob *ret, struct error **err)
{
	json_auto_t *top = NULL;
	const json_t *entries, *entry, *found = NULL;
	_cleanup_(oci_blob_release) struct oci_blob blob = { 0 };
	unsigned n_found = 0;
	size_t i;
	int r;

	r = load(text, size, what, JSON_OBJECT, &top, err);
	if (r < 0)
		return r;
	entries = json_object_get(top, "manifests");
	if (!json_is_array(entries) || json_array_size(entries) > OCI_ENTRIES_MAX)
		return refuse(err, what, "no list of images, or too long a one");
	json_array_foreach(entries, i, entry)
	{
		if (is_for(entry, architecture)) {
			n_found++;
			found = entry;
		}
	}
	if (!n_found) {
		_cleanup_free_ char *others = architectures(entries);

		return error_set(err, ENOENT, "%s: no image for %s, but for %s", what, architecture,
				 others);
	}
	if (n_found > 1)
		return error_set(err, ENOTUNIQ,
				 "%s: %u images for %s: copy the one you want to a place of its "
				 "own (skopeo copy)",
				 what, n_found, architecture);
	r = read_blob(found, what, &blob, err);
	if (r < 0)
		return r;
	if (blob.media != OCI_MANIFEST && blob.media != OCI_INDEX)
		return refuse(err, what, "what it lists is no image");
	*ret = blob;
	blob = (struct oci_blob){ 0 };
	return 0;
}

/* --- manifest and configuration --------------------------------------------------------------- */

static int read_layers(const json_t *layers, const char *what, struct oci_manifest *m,
		       struct error **err)
{
	const json_t *layer;
	size_t i;

	if (!json_is_array(layers) || !json_array_size(layers))
		return refuse(err, what, "no layers");
	if (json_array_size(layers) > MANIFEST_LAYERS_MAX)
		return error_set(err, E2BIG, "%s: more than %u layers", what, MANIFEST_LAYERS_MAX);
	m->layers = xcalloc(json_array_size(layers), sizeof *m->layers);
	json_array_foreach(layers, i, layer)
	{
		int r = read_blob(layer, what, &m->layers[i], err);

		if (r < 0)
			return r;
		m->n_layers++;
		if (m->layers[i].media != OCI_LAYER && m->layers[i].media != OCI_LAYER_PACKED)
			return refuse(err, what, "a layer that is no archive");
	}
	return 0;
}

int oci_read_manifest(const char *text, size_t size, const char *what, struct oci_manifest *ret,
		      struct error **err)
{
	_cleanup_(oci_manifest_release) struct oci_manifest m = { 0 };
	json_auto_t *top = NULL;
	int r;

	r = load(text, size, what, JSON_OBJECT, &top, err);
	if (r == 0)
		r = read_blob(json_object_get(top, "config"), what, &m.config, err);
	if (r == 0 && m.config.media != OCI_CONFIG)
		r = refuse(err, what, "its configuration is none");
	if (r == 0)
		r = read_layers(json_object_get(top, "layers"), what, &m, err);
	if (r < 0)
		return r;
	*ret = m;
	m = (struct oci_manifest){ 0 };
	return 0;
}

int oci_read_config(const char *text, size_t size, const char *what, struct oci_config *ret,
		    struct error **err)
{
	_cleanup_(oci_config_release) struct oci_config c = { 0 };
	json_auto_t *top = NULL;
	const json_t *digests, *digest;
	const char *architecture, *os;
	size_t i;
	int r;

	r = load(text, size, what, JSON_OBJECT, &top, err);
	if (r < 0)
		return r;
	architecture = json_string_value(json_object_get(top, "architecture"));
	os = json_string_value(json_object_get(top, "os"));
	if (os && *os && strcmp(os, "linux") != 0)
		return refuse(err, what, "an image of another system than Linux");
	digests = json_object_get(json_object_get(top, "rootfs"), "diff_ids");
	if (!json_is_array(digests) || json_array_size(digests) > MANIFEST_LAYERS_MAX)
		return error_set(err, E2BIG, "%s: no layers, or more than %u", what,
				 MANIFEST_LAYERS_MAX);
	json_array_foreach(digests, i, digest)
	{
		char *hex = read_digest(json_string_value(digest));

		if (!hex)
			return refuse(err, what, "a layer without a SHA-256 digest");
		strv_take(&c.layers, hex);
	}
	c.architecture = xstrdup(architecture ? architecture : "");
	*ret = c;
	c = (struct oci_config){ 0 };
	return 0;
}

int docker_read_manifest(const char *text, size_t size, const char *what,
			 struct docker_manifest *ret, struct error **err)
{
	_cleanup_(docker_manifest_release) struct docker_manifest m = { 0 };
	json_auto_t *top = NULL;
	const json_t *one, *layers, *layer;
	const char *config;
	size_t i;
	int r;

	r = load(text, size, what, JSON_ARRAY, &top, err);
	if (r < 0)
		return r;
	if (json_array_size(top) != 1)
		return error_set(err, ENOTUNIQ, "%s: %zu images where one is needed", what,
				 json_array_size(top));
	one = json_array_get(top, 0);
	config = json_string_value(json_object_get(one, "Config"));
	layers = json_object_get(one, "Layers");
	if (!config || !json_is_array(layers) || !json_array_size(layers))
		return refuse(err, what, "no configuration, or no layers");
	if (json_array_size(layers) > MANIFEST_LAYERS_MAX)
		return error_set(err, E2BIG, "%s: more than %u layers", what, MANIFEST_LAYERS_MAX);
	json_array_foreach(layers, i, layer)
	{
		if (!json_is_string(layer))
			return refuse(err, what, "a layer without a name");
		strv_add(&m.layers, json_string_value(layer));
	}
	m.config = xstrdup(config);
	*ret = m;
	m = (struct docker_manifest){ 0 };
	return 0;
}
