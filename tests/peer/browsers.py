"""What real browsers offer for one microphone track and one data channel: a page in them posts it here."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

WITHIN = 60.0  # seconds for a browser to start and to gather
PAGE = b"""<!doctype html><title>offers</title><script>
async function offers() {
  const stream = await navigator.mediaDevices.getUserMedia({audio: true});
  const peer = new RTCPeerConnection();
  peer.addTrack(stream.getAudioTracks()[0], stream);
  peer.createDataChannel("oai-events");
  const offer = await peer.createOffer();
  await peer.setLocalDescription(offer);
  while (peer.iceGatheringState !== "complete")
    await new Promise(resolve => peer.addEventListener("icegatheringstatechange", resolve, {once: true}));
  return {at_once: offer.sdp, gathered: peer.localDescription.sdp};
}
offers().catch(error => ({error: String(error)}))
  .then(found => fetch("/", {method: "POST", body: JSON.stringify(found)}));
</script>"""

CHROMIUM = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)
FIREFOX = ("--headless", "--no-remote")
# A microphone without a device or a question, and nothing asked of any server.
FIREFOX_PREFERENCES: Mapping[str, bool | str] = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "app.normandy.enabled": False,
    "services.settings.server": "http://127.0.0.1:9",
    "browser.aboutwelcome.enabled": False,
}


def offers_of_chromium(program: str, profile: Path) -> dict[str, str]:
    """`at_once` and `gathered`; `error` where the page failed, empty where it said nothing in time."""
    return _offers([program, *CHROMIUM, f"--user-data-dir={profile}"], profile)


def offers_of_firefox(program: str, profile: Path) -> dict[str, str]:
    """Likewise."""
    preferences = (f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in FIREFOX_PREFERENCES.items())
    (profile / "user.js").write_text("".join(preferences))
    return _offers([program, *FIREFOX, "--profile", str(profile)], profile)


def _offers(command: list[str], home: Path) -> dict[str, str]:
    with _listening() as (url, found, done):
        environment = {**os.environ, "HOME": str(home)}
        browser = subprocess.Popen(
            [*command, url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
        )
        try:
            done.wait(WITHIN)
        finally:
            browser.terminate()
            browser.wait()
    return found


@contextmanager
def _listening() -> Iterator[tuple[str, dict[str, str], Event]]:
    """The page's URL, what it posts, and when it has."""
    found: dict[str, str] = {}
    done = Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(PAGE)

        def do_POST(self) -> None:
            found.update(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()
            done.set()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", found, done
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
