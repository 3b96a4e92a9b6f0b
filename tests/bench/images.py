"""What images cost: time to build a base beside plain mmdebstrap, and disk of applications over it.

Builds with the user's own vitrine, in the user's own store: every build makes the image that is there
already once more, from the same packages. Takes many minutes.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TEMPLATES = """
    abiword aisleriot audacious audacity celluloid chromium claws-mail dillo dino-im evince
    firefox-esr galculator geany geeqie gimp gnome-mines gnome-sudoku gnumeric gpicview hexchat
    inkscape libreoffice-calc libreoffice-writer links2 lxterminal meld mousepad mpv mtpaint
    netsurf-gtk pidgin qpdfview ristretto rxvt-unicode smplayer sylpheed thunderbird tuxpaint vlc
    xboard xfce4-terminal xmahjongg xournalpp xpdf xterm zathura
""".split()
DATA_DIRS = ("/usr/local/share/vitrine", "/usr/share/vitrine")

class Failed(Exception):
    """One plain sentence for the user."""


def below_home(path):
    return pathlib.Path(os.environ["HOME"], path)


def run(words, **options):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, **options)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise Failed(f"'{' '.join(map(str, words))}' failed: {last}")
    return done.stdout


def timed(words, **options):
    begin = time.monotonic()
    run(words, **options)
    return time.monotonic() - begin


def show(image):
    return json.loads(run(["vitrine", "image", "show", "--json", image]))


# --- building -----------------------------------------------------------------------------------


def recipe_packages(image):
    """The packages that the recipe names, as mmdebstrap wants them."""
    for directory in DATA_DIRS:
        recipe = pathlib.Path(directory, f"images/{image}.image")
        if recipe.exists():
            break
    else:
        raise Failed(f"there is no recipe of the image '{image}'")
    names = []
    for line in recipe.read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition("=")
        if key == "Packages":
            names += value.split()
        elif key == "Fonts":
            names += [f"fonts-{font}" for font in value.split()]
    return names


def package_sources():
    files = [pathlib.Path("/etc/apt/sources.list"), *sorted(pathlib.Path("/etc/apt/sources.list.d").glob("*"))]
    return [str(file) for file in files if file.exists() and file.suffix in (".list", ".sources")]


def plain(image, suite, scratch):
    """mmdebstrap as anybody would call it for these packages, into a tar archive."""
    words = ["mmdebstrap", "--mode=unshare", "--variant=essential"]
    words += [f"--include={','.join(recipe_packages(image))}", suite, str(scratch / "plain.tar")]
    return timed([*words, *package_sources()], env={**os.environ, "TMPDIR": str(scratch)})


class SetAside:
    """The cache of packages, out of the way for a while."""

    def __enter__(self):
        self.cache = below_home(".cache/vitrine/apt")
        self.aside = self.cache.with_name(f"{self.cache.name}.bench")
        if self.cache.exists():
            self.cache.rename(self.aside)

    def __exit__(self, *_):
        if self.aside.exists():
            shutil.rmtree(self.cache, ignore_errors=True)
            self.aside.rename(self.cache)


def first(image):
    with SetAside():
        return timed(["vitrine", "image", "build", "--fresh", image])


def measure_builds(image, rounds, scratch):
    suite = show(image)["suite"]
    ways = {
        "mmdebstrap": lambda: plain(image, suite, scratch),
        "first": lambda: first(image),
        "fresh": lambda: timed(["vitrine", "image", "build", "--fresh", image]),
        "again": lambda: timed(["vitrine", "image", "build", image]),
    }
    samples = {way: [] for way in ways}
    for _ in range(rounds):
        for way, build in ways.items():
            samples[way].append(build())
    run(["vitrine", "image", "gc"])
    figures = {
        way: {"n": len(times), "min_s": round(min(times), 2), "median_s": round(statistics.median(times), 2)}
        for way, times in samples.items()
    }
    for way in ("first", "fresh", "again"):
        ratio = figures[way]["median_s"] / figures["mmdebstrap"]["median_s"]
        figures[way]["to_mmdebstrap"] = round(ratio, 3)
    return figures


# --- disk -----------------------------------------------------------------------------------------


def layer_kib(digest):
    """What it takes on the disk, its index included."""
    return int(run(["du", "-sk", str(below_home(".local/share/vitrine/images/layers") / digest)]).split()[0])


def measure_disk(images):
    """The layers of all images, each once, beside as many whole root file systems."""
    kib, together = {}, 0
    for image in images:
        layers = [layer["sha256"] for layer in show(image)["layers"]]
        for digest in layers:
            if digest not in kib:
                kib[digest] = layer_kib(digest)
        together += sum(kib[digest] for digest in layers)
    return {
        "images": len(images),
        "layers": len(kib),
        "layers_mib": round(sum(kib.values()) / 1024),
        "whole_mib": round(together / 1024),
        "share": round(sum(kib.values()) / together, 3),
    }


# --- all of it ------------------------------------------------------------------------------------


def measure(image, rounds, templates):
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="vitrine-bench-", dir="/var/tmp"))
    try:
        scratch.chmod(0o755)
        result = {"image": image, "builds": measure_builds(image, rounds, scratch)}
        for template in templates:
            run(["vitrine", "image", "build", template])
        result["disk"] = measure_disk(templates)
        return result
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def print_table(result):
    print(f"{'image ' + result['image']:22} {'n':>4} {'min s':>9} {'median s':>10}  of mmdebstrap's")
    for way, row in result["builds"].items():
        share = f"{row['to_mmdebstrap']:16.2f}" if "to_mmdebstrap" in row else ""
        print(f"  {way:20} {row['n']:4} {row['min_s']:9.1f} {row['median_s']:10.1f} {share}")
    disk = result["disk"]
    print(
        f"{disk['images']} images: {disk['layers_mib']} MiB in {disk['layers']} layers, "
        f"{disk['whole_mib']} MiB as whole root file systems: {disk['share']:.3f} of that"
    )


def main():
    parser = argparse.ArgumentParser(description="Measures what images cost.")
    parser.add_argument("--image", default="base", help="what is built (default: base)")
    parser.add_argument("--rounds", type=int, default=3, help="builds of each way")
    parser.add_argument(
        "--templates", nargs="*", default=TEMPLATES, help="images that share it; they are built if need be"
    )
    options = parser.parse_args()
    try:
        print_table(measure(options.image, options.rounds, options.templates))
    except Failed as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
