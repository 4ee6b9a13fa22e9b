"""Copy the few front-end files that the application serves out of node_modules, with their licences.

Other people's code is not committed: package-lock.json names it, `make setup` fetches it, this table says
which files travel on. To add a file: add its package to package.json, run `make lock`, and add a line here.
Usage: python scripts/vendor_assets.py NODE_MODULES TARGET
"""

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Package:
    name: str
    files: dict[str, str]  # path in the package -> name below the target folder
    licence: str  # SPDX identifier, compared with the package's own statement
    licence_files: tuple[str, ...] = ("LICENSE",)


PACKAGES = (
    Package(
        "@utrecht/component-library-css",
        {"dist/index.css": "utrecht/index.css"},
        "EUPL-1.2",
        ("LICENSE.md",),
    ),
    Package(
        "@nl-design-system-unstable/voorbeeld-design-tokens",
        {"dist/theme.css": "voorbeeld/theme.css"},
        "EUPL-1.2",
        ("LICENSE.md",),
    ),
    Package(
        "@fontsource/noto-sans",
        {
            "files/noto-sans-latin-400-normal.woff2": "fonts/noto-sans-latin-400-normal.woff2",
            "files/noto-sans-latin-700-normal.woff2": "fonts/noto-sans-latin-700-normal.woff2",
        },
        "OFL-1.1",
    ),
    Package(
        "@expo-google-fonts/noto-sans",
        {
            "400Regular/NotoSans_400Regular.ttf": "fonts/NotoSans_400Regular.ttf",
            "700Bold/NotoSans_700Bold.ttf": "fonts/NotoSans_700Bold.ttf",
        },
        "MIT AND OFL-1.1",
        ("LICENSE", "LICENSE_FONT"),
    ),
    Package("htmx.org", {"dist/htmx.min.js": "htmx/htmx.min.js"}, "0BSD"),
)


def copy_assets(node_modules: Path, target: Path) -> None:
    """Fills a fresh folder and swaps it in, so that a failure leaves no half set behind.

    Raises SystemExit, naming the package, when a file is missing or a licence is not the one in the table."""
    fresh = target.with_name(target.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    listing = []
    for package in PACKAGES:
        source = node_modules / package.name
        about = json.loads((source / "package.json").read_text(encoding="utf-8"))
        if about["license"] != package.licence:
            raise SystemExit(f"{package.name}: licence is now {about['license']}, not {package.licence}")
        folder = package.name.replace("@", "").replace("/", "-")
        copies = package.files | {name: f"licences/{folder}-{name}" for name in package.licence_files}
        for origin, destination in copies.items():
            if not (source / origin).is_file():
                raise SystemExit(f"{package.name} {about['version']} has no file {origin}; mend the table")
            (fresh / destination).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / origin, fresh / destination)
        listing.append(
            {
                "name": package.name,
                "version": about["version"],
                "licence": package.licence,
                "files": sorted(package.files.values()),
                "licenceFiles": [copies[name] for name in package.licence_files],
            }
        )
    # The page "over" shows this list.
    (fresh / "packages.json").write_text(json.dumps(listing, indent=2) + "\n", encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)


if __name__ == "__main__":
    copy_assets(Path(sys.argv[1]), Path(sys.argv[2]))
