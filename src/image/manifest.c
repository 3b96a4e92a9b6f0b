#include "image/manifest.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "base/sha256.h"
#include "base/text.h"

#define FORMAT 1

struct manifest *manifest_new(const char *name, const char *source)
{
	struct manifest *m = xcalloc(1, sizeof *m);

	*m = (struct manifest){
		.name = xstrdup(name),
		.created = xstrdup(""),
		.suite = xstrdup(""),
		.architecture = xstrdup(""),
		.source = xstrdup(source),
	};
	return m;
}

struct manifest *manifest_free(struct manifest *m)
{
	if (!m)
		return NULL;
	for (size_t i = 0; i < m->n_layers; i++) {
		free(m->layers[i].digest);
		free(m->layers[i].key);
	}
	for (size_t i = 0; i < m->n_packages; i++) {
		free(m->packages[i].name);
		free(m->packages[i].version);
	}
	free(m->layers);
	free(m->packages);
	free(m->name);
	free(m->created);
	free(m->suite);
	free(m->architecture);
	free(m->source);
	free(m->base);
	free(m);
	return NULL;
}

void manifest_add_layer(struct manifest *m, const struct manifest_layer *layer)
{
	m->layers = xreallocarray(m->layers, m->n_layers + 1, sizeof *m->layers);
	m->layers[m->n_layers++] = (struct manifest_layer){
		.digest = xstrdup(layer->digest ? layer->digest : ""),
		.key = xstrdup(layer->key ? layer->key : ""),
		.bytes = layer->bytes,
		.files = layer->files,
	};
}

static bool comes_again(const struct manifest *m, size_t i)
{
	for (size_t k = i + 1; k < m->n_layers; k++)
		if (!strcmp(m->layers[k].digest, m->layers[i].digest))
			return true;
	return false;
}

void manifest_drop_doubles(struct manifest *m)
{
	for (size_t i = m->n_layers; i-- > 0;) {
		if (!comes_again(m, i))
			continue;
		free(m->layers[i].digest);
		free(m->layers[i].key);
		m->n_layers--;
		memmove(&m->layers[i], &m->layers[i + 1], (m->n_layers - i) * sizeof *m->layers);
	}
}

/* Where the package is, or has to be put. */
static size_t place_of(const struct manifest *m, const char *package)
{
	size_t low = 0, high = m->n_packages;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(m->packages[middle].name, package) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct manifest *m, size_t at, const char *package)
{
	return at < m->n_packages && !strcmp(m->packages[at].name, package);
}

void manifest_add_package(struct manifest *m, const char *name, const char *version)
{
	size_t at = place_of(m, name);

	if (is_at(m, at, name)) {
		free(m->packages[at].version);
		m->packages[at].version = xstrdup(version);
		return;
	}
	if (!(m->n_packages & (m->n_packages - 1)))
		m->packages = xreallocarray(m->packages, m->n_packages ? 2 * m->n_packages : 1,
					    sizeof *m->packages);
	memmove(&m->packages[at + 1], &m->packages[at], (m->n_packages - at) * sizeof *m->packages);
	m->packages[at] = (struct manifest_package){ xstrdup(name), xstrdup(version) };
	m->n_packages++;
}

const char *manifest_version(const struct manifest *m, const char *package)
{
	size_t at = place_of(m, package);

	return is_at(m, at, package) ? m->packages[at].version : NULL;
}

uint64_t manifest_bytes(const struct manifest *m)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < m->n_layers; i++)
		sum += m->layers[i].bytes;
	return sum;
}

uint64_t manifest_files(const struct manifest *m)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < m->n_layers; i++)
		sum += m->layers[i].files;
	return sum;
}

/* --- JSON ----------------------------------------------------------------------------------------
 */

static json_t *layers_to_json(const struct manifest *m)
{
	json_t *layers = json_array();

	for (size_t i = 0; i < m->n_layers; i++) {
		const struct manifest_layer *l = &m->layers[i];

		json_array_append_new(layers, json_pack("{ss ss sI sI}", "sha256", l->digest, "key",
							l->key, "bytes", (json_int_t)l->bytes,
							"files", (json_int_t)l->files));
	}
	return layers;
}

/* Text that is not UTF-8 is left out: no package has such a name. */
static json_t *packages_to_json(const struct manifest *m)
{
	json_t *packages = json_object();

	for (size_t i = 0; i < m->n_packages; i++)
		(void)json_object_set_new(packages, m->packages[i].name,
					  json_string(m->packages[i].version));
	return packages;
}

int manifest_render(const struct manifest *m, char **ret, struct error **err)
{
	json_auto_t *top = json_pack("{si ss si ss ss ss ss ss* so so}", "format", FORMAT, "name",
				     m->name, "generation", (int)m->generation, "created",
				     m->created, "suite", m->suite, "architecture", m->architecture,
				     "source", m->source, "base", m->base, "layers",
				     layers_to_json(m), "packages", packages_to_json(m));
	char *text;

	if (top && m->base)
		json_object_set_new(top, "base-generation", json_integer(m->base_generation));
	text = top ? json_dumps(top, JSON_INDENT(1) | JSON_SORT_KEYS) : NULL;
	if (!text)
		return error_set(err, EINVAL, "cannot describe the image '%s'", m->name);
	*ret = text;
	return 0;
}

static int damaged(const char *what, const char *why, struct error **err)
{
	return error_set(err, EBADMSG, "%s is damaged (%s): build or import the image again", what,
			 why);
}

static int parse_layers(json_t *layers, const char *what, struct manifest *m, struct error **err)
{
	json_t *layer;
	size_t i;

	if (!json_array_size(layers) || json_array_size(layers) > MANIFEST_LAYERS_MAX)
		return damaged(what, "its list of layers", err);
	json_array_foreach(layers, i, layer)
	{
		const char *digest, *key;
		json_int_t bytes, files;

		if (json_unpack(layer, "{ss ss sI sI}", "sha256", &digest, "key", &key, "bytes",
				&bytes, "files", &files) < 0 ||
		    !sha256_is_hex(digest) || (*key && !sha256_is_hex(key)) || bytes < 0 ||
		    files < 0)
			return damaged(what, "a layer", err);
		manifest_add_layer(m, &(struct manifest_layer){ .digest = (char *)digest,
								.key = (char *)key,
								.bytes = (uint64_t)bytes,
								.files = (uint64_t)files });
	}
	return 0;
}

static int parse_packages(json_t *packages, const char *what, struct manifest *m,
			  struct error **err)
{
	const char *name;
	json_t *version;

	json_object_foreach(packages, name, version)
	{
		if (!json_is_string(version))
			return damaged(what, "its list of packages", err);
		manifest_add_package(m, name, json_string_value(version));
	}
	return 0;
}

static int parse_all(json_t *top, const char *what, struct manifest *m, struct error **err)
{
	const char *name, *created, *suite, *architecture, *source, *base = NULL;
	json_int_t format, generation, base_generation = 0;
	json_t *layers, *packages;
	int r;

	if (json_unpack(top, "{sI ss sI ss ss ss ss s?s s?I so so}", "format", &format, "name",
			&name, "generation", &generation, "created", &created, "suite", &suite,
			"architecture", &architecture, "source", &source, "base", &base,
			"base-generation", &base_generation, "layers", &layers, "packages",
			&packages) < 0)
		return damaged(what, "a field is missing", err);
	if (format != FORMAT)
		return error_set(err, EBADMSG, "%s was written by another version of vitrine",
				 what);
	if (!name_is_valid(name) || generation < 1 || generation > UINT32_MAX ||
	    (base && !name_is_valid(base)) || base_generation < 0 || base_generation > UINT32_MAX ||
	    !json_is_array(layers) || !json_is_object(packages))
		return damaged(what, "a value", err);
	*m = (struct manifest){
		.name = xstrdup(name),
		.generation = (uint32_t)generation,
		.created = xstrdup(created),
		.suite = xstrdup(suite),
		.architecture = xstrdup(architecture),
		.source = xstrdup(source),
		.base = base ? xstrdup(base) : NULL,
		.base_generation = (uint32_t)base_generation,
	};
	r = parse_layers(layers, what, m, err);
	return r < 0 ? r : parse_packages(packages, what, m, err);
}

int manifest_parse(const char *text, size_t size, const char *what, struct manifest **ret,
		   struct error **err)
{
	_cleanup_(manifest_freep) struct manifest *m = xcalloc(1, sizeof *m);
	json_auto_t *top = NULL;
	json_error_t why;
	int r;

	top = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
	if (!top)
		return damaged(what, "not JSON", err);
	r = parse_all(top, what, m, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(m);
	return 0;
}
