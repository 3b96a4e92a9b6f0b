/* Whatever the documents of an image say: what is accepted names nothing but digests, within the
 * limits, and what is refused leaves no result. */

#include "base/alloc.h"
#include "base/sha256.h"
#include "base/strv.h"
#include "image/manifest.h"
#include "image/oci.h"
#include "tests/fuzz/fuzz.h"

static void check_blob(const struct oci_blob *b)
{
	must(b->media < OCI_MEDIA_MAX);
	must(sha256_is_hex(b->digest));
}

static void try_index(const char *text, size_t size)
{
	_cleanup_(oci_blob_release) struct oci_blob blob = { 0 };
	_cleanup_(error_freep) struct error *err = NULL;

	if (oci_read_index(text, size, "index.json", "amd64", &blob, &err) == 0) {
		check_blob(&blob);
		must(blob.media == OCI_INDEX || blob.media == OCI_MANIFEST);
	} else {
		must(err && !blob.digest);
	}
}

static void try_manifest(const char *text, size_t size)
{
	_cleanup_(oci_manifest_release) struct oci_manifest m = { 0 };
	_cleanup_(error_freep) struct error *err = NULL;

	if (oci_read_manifest(text, size, "manifest", &m, &err) < 0) {
		must(err && !m.layers);
		return;
	}
	check_blob(&m.config);
	must(m.n_layers > 0 && m.n_layers <= MANIFEST_LAYERS_MAX);
	for (size_t i = 0; i < m.n_layers; i++)
		check_blob(&m.layers[i]);
}

static void try_config(const char *text, size_t size)
{
	_cleanup_(oci_config_release) struct oci_config c = { 0 };
	_cleanup_(error_freep) struct error *err = NULL;

	if (oci_read_config(text, size, "config", &c, &err) < 0) {
		must(err && !c.architecture);
		return;
	}
	must(strv_length(c.layers) <= MANIFEST_LAYERS_MAX);
	for (char **d = c.layers; d && *d; d++)
		must(sha256_is_hex(*d));
}

static void try_docker(const char *text, size_t size)
{
	_cleanup_(docker_manifest_release) struct docker_manifest m = { 0 };
	_cleanup_(error_freep) struct error *err = NULL, *other = NULL;

	if (docker_read_manifest(text, size, "manifest.json", &m, &err) == 0)
		must(m.config && strv_length(m.layers) <= MANIFEST_LAYERS_MAX);
	else
		must(err && !m.config);
	must((oci_read_layout(text, size, "oci-layout", &other) < 0) == (other != NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	try_index(text, size);
	try_manifest(text, size);
	try_config(text, size);
	try_docker(text, size);
	return 0;
}
