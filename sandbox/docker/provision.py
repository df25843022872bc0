"""Where the image of a reference comes from: the engine has it, a registry serves it, or it is made here.

A pulled image is used as it is. A registry that does not answer is not waited for (`registries`); a pull that
fails after it answered is a warning in the log with the engine's own words, and the stand-in's label tells
what runs. An image that was made here stays until somebody removes it, also when a registry answers later.
"""

import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from sandbox.docker.client import EngineClient, SlowError
from sandbox.docker.images import NEVER_PULLED, REFERENCE_LABEL, STAND_IN_LABEL, ImageMaker, recipe_for
from sandbox.docker.references import ImageReference, parse_reference
from sandbox.docker.registries import Registries
from sandbox.docker.rewriting import Document, show_image
from sandbox.docker.way_out import WayOut
from sandbox.errors import SandboxError

_LOG = logging.getLogger(__name__)
# An engine that downloads says so several times a second; it is silent while it connects or checks a layer.
SILENCE_SECONDS = 30.0
PULL_SECONDS = 540.0

Say = Callable[[Document], None]


class Provision:
    """Images of one engine; all methods block.

    Args:
        path: the engine's own socket.
        maker: makes local images.
        registries: shared by all engines of a checkout.
        way_out: the engine's way to registries; used only during its pulls.
    """

    def __init__(self, path: Path, maker: ImageMaker, registries: Registries, way_out: WayOut) -> None:
        self._engine = EngineClient(path)
        self._maker = maker
        self._registries = registries
        self._way_out = way_out
        self._making = threading.Lock()

    def find(self, name: str) -> Document | None:
        """The image that an id or a reference means, as the client shall see it; None when there is none."""
        if (image := self._engine.image(name)) is not None:
            return show_image(image)
        reference = parse_reference(name)
        if reference is None:
            return None
        local = self._engine.image_with_label(REFERENCE_LABEL, str(reference))
        image = self._engine.image(local) if local else None
        return show_image(image) if image else None

    def pull(self, name: str, say: Say) -> None:
        """Get the image of a reference.

        Args:
            name: the reference.
            say: receives the progress lines that Docker would send, as they come.

        Raises:
            SandboxError: when a local image cannot be made.
        """
        reference = parse_reference(name)
        if reference is None:
            raise SandboxError(f"{name} is not an image reference; write it as repository:tag@sha256:...")
        if self.find(name) is not None:
            _say_all(reference, f"Status: Image is up to date for {reference}", say)
        elif self._pulled(reference, say):
            say({"status": "homelab: downloaded"})
        else:
            with self._making:
                if self.find(name) is None:
                    self._make(reference)
            origin = "a stand-in" if recipe_for(reference).stand_in else "the real program"
            say({"status": f"homelab: made here: {origin}"})
            _say_all(reference, f"Status: Downloaded newer image for {reference}", say)

    def _pulled(self, reference: ImageReference, say: Say) -> bool:
        if not recipe_for(reference).stand_in or reference.path in NEVER_PULLED:
            return False
        if not self._registries.answer(reference.registry):
            return False
        name = f"{reference.registry}/{reference.path}"
        query = urlencode({"fromImage": name, "tag": reference.digest or reference.tag or "latest"})
        try:
            with self._way_out.pulling():
                for line in self._engine.progress(f"/images/create?{query}", SILENCE_SECONDS, PULL_SECONDS):
                    say(line)
            if self._engine.image(str(reference)) is not None:
                return True
            reason = "the engine says that it was pulled, but does not have it"
        except SlowError as error:
            self._registries.gave_nothing(reference.registry)
            reason = f"{error}; {reference.registry} is not asked again until the sandbox is started again"
        except OSError as error:
            reason = str(error)
        _LOG.warning("%s could not be pulled, a stand-in is used: %s", reference, reason)
        say({"status": f"homelab: not pulled: {reason}"})
        return False

    def _make(self, reference: ImageReference) -> None:
        archive = self._maker.archive(reference)
        try:
            said = self._engine.load(archive)
        finally:
            archive.unlink()
        if self._engine.image_with_label(REFERENCE_LABEL, str(reference)) is None:
            raise SandboxError(f"the engine did not take the local image for {reference}: {said}")


def _say_all(reference: ImageReference, verdict: str, say: Say) -> None:
    say({"status": f"Pulling from {reference.path}", "id": reference.tag or reference.digest})
    if reference.digest:
        say({"status": f"Digest: {reference.digest}"})
    say({"status": verdict})


def local_images(path: Path) -> dict[str, bool]:
    """The references of an engine's local images, and whether each is a stand-in."""
    query = urlencode({"filters": json.dumps({"label": [REFERENCE_LABEL]})})
    _, document = EngineClient(path).request("GET", f"/images/json?{query}")
    images = document if isinstance(document, list) else []
    return {image["Labels"][REFERENCE_LABEL]: STAND_IN_LABEL in image["Labels"] for image in images}
