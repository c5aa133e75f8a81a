#!/usr/bin/python3
"""Debian's AWS CLI against the server: a first session as a user would have it, over HTTP and HTTPS."""
import json
import pathlib
import re
import subprocess
import unittest

from harness import ServerCase

AWS = "/usr/bin/aws" if pathlib.Path("/usr/bin/aws").exists() else "aws"


class Cli(ServerCase):
    def endpoint(self):
        return ["--endpoint-url", self.server.url]

    def run_aws(self, service, operation, *arguments):
        return subprocess.run([AWS, f"timestream-{service}", operation, *self.endpoint(), "--output", "json", *arguments],
                              capture_output=True, text=True, timeout=120, env=self.server.client_environment())

    def aws(self, service, operation, *arguments):
        """The parsed answer of a call that must succeed."""
        result = self.run_aws(service, operation, *arguments)
        self.assertEqual(0, result.returncode, result.stderr)
        return json.loads(result.stdout) if result.stdout.strip() else None

    def aws_refused(self, service, operation, *arguments):
        """(exception, text) of a call that must fail."""
        result = self.run_aws(service, operation, *arguments)
        self.assertEqual(254, result.returncode, result.stdout + result.stderr)
        match = re.search(r"An error occurred \((\w+)\) when calling the \w+ operation: (.*)", result.stderr)
        self.assertTrue(match, result.stderr)
        return match.groups()

    def test_operations_that_come_later_say_so(self):
        self.assertEqual(("UnknownOperationException", "ListScheduledQueries is not supported yet"),
                         self.aws_refused("query", "list-scheduled-queries"))

    def test_a_first_session(self):
        database, table = "cli", "sensors"
        where = ["--database-name", database, "--table-name", table]
        self.assertEqual(database, self.aws("write", "create-database", "--database-name", database)["Database"]["DatabaseName"])
        self.assertEqual("ConflictException",
                         self.aws_refused("write", "create-database", "--database-name", database)[0])
        made = self.aws("write", "create-table", *where, "--retention-properties",
                        "MemoryStoreRetentionPeriodInHours=24,MagneticStoreRetentionPeriodInDays=7", "--tags", "Key=a,Value=b")
        self.assertEqual("ACTIVE", made["Table"]["TableStatus"])
        common = {"Dimensions": [{"Name": "room", "Value": "kitchen"}], "Time": str(self.NOW), "MeasureName": "climate"}
        records = [{"MeasureValueType": "MULTI", "MeasureValues": [
            {"Name": "temperature", "Value": "21.5", "Type": "DOUBLE"}, {"Name": "open", "Value": "false", "Type": "BOOLEAN"}]}]
        answer = self.aws("write", "write-records", *where, "--common-attributes", json.dumps(common), "--records",
                          json.dumps(records))
        self.assertEqual({"Total": 1, "MemoryStore": 1, "MagneticStore": 0}, answer["RecordsIngested"])
        records[0]["MeasureValues"][0]["Value"] = "22"
        refused = self.aws_refused("write", "write-records", *where, "--common-attributes", json.dumps(common), "--records",
                                   json.dumps(records))
        self.assertEqual(("RejectedRecordsException",
                          "One or more records have been rejected. See RejectedRecords for details."), refused)
        page = self.aws("query", "query", "--query-string", f'SELECT room, temperature, open FROM "{database}"."{table}"')
        self.assertEqual([{"Data": [{"ScalarValue": "kitchen"}, {"ScalarValue": "21.5"}, {"ScalarValue": "false"}]}], page["Rows"])
        arn = made["Table"]["Arn"]
        self.assertEqual([{"Key": "a", "Value": "b"}],
                         self.aws("write", "list-tags-for-resource", "--resource-arn", arn)["Tags"])
        self.aws("write", "update-table", *where, "--retention-properties",
                 "MemoryStoreRetentionPeriodInHours=48,MagneticStoreRetentionPeriodInDays=7")
        table_now = self.aws("write", "describe-table", *where)["Table"]
        self.assertEqual(48, table_now["RetentionProperties"]["MemoryStoreRetentionPeriodInHours"])
        self.assertIsNone(self.aws("write", "delete-table", *where))
        self.assertEqual(("ResourceNotFoundException", f"The table {table} does not exist."),
                         self.aws_refused("write", "describe-table", *where))
        self.aws("write", "delete-database", "--database-name", database)

    def test_lists_in_pages(self):
        names = [f"page{i:02d}" for i in range(23)]
        for name in names:
            self.write.create_database(DatabaseName=name)
        seen, token = [], []
        while True:
            page = self.aws("write", "list-databases", "--max-results", "10", *token)
            seen += [d["DatabaseName"] for d in page["Databases"]]
            if "NextToken" not in page:
                break
            token = ["--next-token", page["NextToken"]]
        self.assertEqual(names, [name for name in seen if name.startswith("page")])

    def test_query_in_pages_that_the_cli_joins(self):
        table = self.make_table()
        self.put(table, *(self.record(str(i), self.NOW - i) for i in range(100)))
        page = self.aws("query", "query", "--query-string", f'SELECT time FROM "{self.DATABASE}"."{table}"', "--page-size", "30")
        self.assertEqual(100, len(page["Rows"]))

    def test_errors_of_queries(self):
        self.assertEqual(("ValidationException", "line 1:8: Column 'nothing' does not exist"),
                         self.aws_refused("query", "query", "--query-string", "SELECT nothing"))


class CliOverTls(Cli):
    """The same over HTTPS, without looking at the certificate."""

    OPTIONS = {"https": True}

    def endpoint(self):
        return ["--endpoint-url", self.server.https_url, "--no-verify-ssl"]

    def run_aws(self, service, operation, *arguments):
        result = super().run_aws(service, operation, *arguments)
        lines = [line for line in result.stderr.splitlines(keepends=True) if "InsecureRequestWarning" not in line
                 and "warnings.warn(" not in line]
        result.stderr = "".join(lines)
        return result


if __name__ == "__main__":
    unittest.main()
