"""Run what the README tells people to type: its Python in one process, its commands one by one."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path


def main(path: str) -> int:
    text = Path(path).read_text(encoding="utf-8")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    Path("build").mkdir(exist_ok=True)
    failed = ran = 0
    blocks = re.findall(r"```(python|bash)\n(.*?)```", text, re.DOTALL)
    python = "\n".join(block for language, block in blocks if language == "python")
    commands = [[sys.executable, "-W", "error", "-c", python]] if python else []
    for language, block in blocks:
        if language == "bash":
            commands += [shlex.split(line, comments=True) for line in block.splitlines() if line.strip()]
    for command in commands:
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        ran += 1
        if done.returncode:
            failed += 1
            print(f"failed ({done.returncode}): {shlex.join(command)[:200]}\n{done.stderr}", file=sys.stderr)
    print(f"{path}: {ran - failed} passed, {failed} failed")
    return 1 if failed or not ran else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
