"""The reference pages in docs/reference are what the binary prints, and the README's commands exist."""
import re
import subprocess
import unittest

import harness


def run(*arguments):
    return subprocess.run([harness.binary(), *arguments], capture_output=True, text=True, check=True,
                          timeout=60).stdout


class DocsTest(unittest.TestCase):
    def test_reference_pages_are_printed_by_the_binary(self):
        for page in ("functions", "settings"):
            with self.subTest(page=page):
                kept = (harness.REPOSITORY / "docs" / "reference" / f"{page}.md").read_text()
                self.assertTrue(kept == run("docs", page),
                                f"docs/reference/{page}.md is out of date: run `tideline docs {page}`")

    def test_every_subcommand_has_help(self):
        for command in ("serve", "sql", "load", "collect", "inspect", "docs", "version"):
            with self.subTest(command=command):
                self.assertIn("--help", run(command, "--help"))

    def test_settings_of_the_readme_exist(self):
        text = (harness.REPOSITORY / "README.md").read_text()
        serve_help = run("serve", "--help")
        for flag in set(re.findall(r"tideline serve [^\n]*?(--[a-z-]+)", text)):
            self.assertIn(flag, serve_help)

    def test_links_of_the_readme_lead_somewhere(self):
        text = (harness.REPOSITORY / "README.md").read_text()
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            self.assertTrue((harness.REPOSITORY / target).exists(), target)

    def test_version(self):
        self.assertRegex(run("version"), r"^tideline \d+\.\d+\.\d+\n$")


if __name__ == "__main__":
    unittest.main()
