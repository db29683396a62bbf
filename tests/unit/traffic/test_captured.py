"""What a program writes: the beginning kept, the rest read, nobody made to wait."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from harness.model.units import Duration
from harness.traffic.captured import KEPT, Captured
from tests.support.waiting import until

S30 = Duration.of_s(30)


def capture(folder: Path, write: Callable[[int], object]) -> tuple[str, bool]:
    """What is kept of what ``write`` wrote, in a thread of its own as a program would; and if that was cut."""

    async def main() -> tuple[str, bool]:
        captured = Captured(folder / "out")
        try:
            writer = os.open(folder / "out", os.O_WRONLY)
            await asyncio.get_running_loop().run_in_executor(None, write, writer)
            os.close(writer)
            captured.finish()
            return captured.text(), captured.cut
        finally:
            captured.close()

    return asyncio.run(main())


def test_output_when_short_then_kept_without_its_last_line_end(tmp_path: Path) -> None:
    assert capture(tmp_path, lambda out: os.write(out, b"a\nb\xff\r\n")) == ("a\nb�", False)


def test_output_when_longer_than_the_limit_then_all_is_read_and_the_beginning_kept(
    tmp_path: Path,
) -> None:
    def write(out: int) -> None:
        for _ in range(20):
            os.write(out, b"x" * KEPT)

    assert capture(tmp_path, write) == ("x" * KEPT, True)


def test_output_when_just_as_long_as_the_limit_then_is_not_cut(tmp_path: Path) -> None:
    assert capture(tmp_path, lambda out: os.write(out, b"x" * KEPT)) == ("x" * KEPT, False)


def test_output_when_nobody_writes_then_the_loop_is_left_alone(tmp_path: Path) -> None:
    """A writer that came and went must not leave the loop with an end that it is told for ever."""

    async def main() -> int:
        captured = Captured(tmp_path / "out")
        os.close(os.open(tmp_path / "out", os.O_WRONLY))
        reads: list[int] = []
        loop = asyncio.get_running_loop()
        loop.remove_reader(captured._descriptor)
        loop.add_reader(captured._descriptor, lambda: reads.append(1))
        passed = loop.time() + 0.05
        await until(lambda: loop.time() > passed, within=S30, what="some turns of the loop")
        captured.close()
        captured.close()
        return len(reads)

    assert asyncio.run(main()) == 0
