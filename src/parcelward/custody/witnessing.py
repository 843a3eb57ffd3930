"""Ask the configured witnesses to cosign the newest checkpoint, and publish it as witnessed when enough did."""

from __future__ import annotations

import logging

from parcelward.base import config, egress
from parcelward.custody import checkpoints, notes, witness
from parcelward.custody.errors import WitnessAway, WitnessRefused
from parcelward.custody.files import CHECKPOINT, CHECKPOINT_WITNESSED, LogFiles
from parcelward.custody.keys import Verifier, parse_vkey
from parcelward.custody.tree import consistency_path

log = logging.getLogger(__name__)


class _Poster:
    """Posts through base.egress."""

    def post(self, url: str, body: bytes) -> witness.Answer:
        try:
            answer = egress.post(url, body)
        except egress.NotReached as err:
            raise WitnessAway(str(err)) from None
        return witness.Answer(answer.status, answer.content_type, answer.body)


def configured(settings: config.Config) -> list[tuple[Verifier, str]]:
    """Return (verifier, address) of each witness of PARCELWARD_WITNESSES, written `vkey=http://host:port`."""
    found = []
    for one in settings.witnesses:
        vkey, _, rest = one.partition("=http")
        if not rest:
            raise config.BadSetting("PARCELWARD_WITNESSES holds entries of the form <vkey>=http://host:port")
        # A vkey's base64 may itself end in "=", which `partition` leaves in place: it cuts at "=http".
        found.append((parse_vkey(vkey), f"http{rest}"))
    return found


def ask_all(settings: config.Config, files: LogFiles) -> int:
    """Ask every witness once; return how many cosigned. A witness that is away is asked again next time.

    `files` are the sequencer's, who may give them back meanwhile: they are only published to, which then raises
    LogInUse. What is read is read through descriptors of this thread's own.
    """
    with files.reader() as reading:
        note = reading.published(CHECKPOINT)
        if note is None:
            return 0
        size = checkpoints.parse(notes.parse(note).text).size
        before = reading.published_head(CHECKPOINT_WITNESSED)
        known = 0 if before is None else before.size
        if size in {0, known}:
            return 0
        cosigned = []
        for verifier, url in configured(settings):
            try:
                cosigned.append(
                    witness.ask_witness(
                        url,
                        note=note,
                        witness=verifier,
                        old_size=known,
                        prove=lambda old: consistency_path(old, size, reading.read_hashes) if old else [],
                        poster=_Poster(),
                    )
                )
            except WitnessAway as err:
                log.warning("witness %s is away: %s", verifier.name, err)
            except WitnessRefused as err:
                log.error("witness %s refuses to cosign (%s): find out why before anything else", verifier.name, err)  # noqa: TRY400 -- the sentence says it all
    if len(cosigned) >= max(1, settings.witness_quorum):
        files.publish(CHECKPOINT_WITNESSED, notes.add_signatures(note, [c.signature for c in cosigned]))
    return len(cosigned)
