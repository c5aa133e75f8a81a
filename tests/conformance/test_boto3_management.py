#!/usr/bin/python3
"""Databases, tables, tags and their paging, driven by boto3 (spec: CRUD operations, naming, quotas)."""
import datetime
import re
import time
import unittest

from harness import ACCOUNT, REGION, ServerCase

ARN = f"arn:aws:timestream:{REGION}:{ACCOUNT}:database/"


class Databases(ServerCase):
    def tearDown(self):
        for database in self.write.list_databases()["Databases"]:
            name = database["DatabaseName"]
            for table in self.write.list_tables(DatabaseName=name)["Tables"]:
                self.write.delete_table(DatabaseName=name, TableName=table["TableName"])
            self.write.delete_database(DatabaseName=name)

    def test_create_answers_the_whole_database(self):
        before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=2)
        answer = self.write.create_database(DatabaseName="weather")
        self.assertEqual(200, answer["ResponseMetadata"]["HTTPStatusCode"])
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        self.assertEqual("application/x-amz-json-1.0", headers["content-type"])
        self.assertRegex(headers["x-amzn-requestid"], "^[A-Z2-7]{26}$")
        self.assertIn("date", headers)
        database = answer["Database"]
        self.assertEqual({"Arn", "DatabaseName", "TableCount", "KmsKeyId", "CreationTime",
                          "LastUpdatedTime"}, set(database))
        self.assertEqual(ARN + "weather", database["Arn"])
        self.assertEqual("weather", database["DatabaseName"])
        self.assertEqual(0, database["TableCount"])
        self.assertRegex(database["KmsKeyId"],
                         f"^arn:aws:kms:{REGION}:{ACCOUNT}:key/[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$")
        self.assertEqual(database["CreationTime"], database["LastUpdatedTime"])
        self.assertLess(before, database["CreationTime"])
        self.assertEqual(database, self.write.describe_database(DatabaseName="weather")["Database"])

    def test_create_twice_is_a_conflict(self):
        self.write.create_database(DatabaseName="twice")
        self.refused("ConflictException", self.write.create_database, DatabaseName="twice")

    def test_names_are_case_sensitive(self):
        self.write.create_database(DatabaseName="Case")
        self.write.create_database(DatabaseName="case")
        self.assertEqual("Case", self.write.describe_database(DatabaseName="Case")["Database"]["DatabaseName"])
        self.refused("ResourceNotFoundException", self.write.describe_database, DatabaseName="CASE")

    def test_names_have_3_to_256_characters_of_a_set(self):
        for name in ("abc", "a.b-c_D9", "x" * 256):
            self.write.create_database(DatabaseName=name)
        for name in ("ab", "x" * 257, "a b c", "a/b/c", "ümlaut", "semi;colon", ""):
            with self.subTest(name=name[:12]):
                self.refused("ValidationException", self.loose_write.create_database, DatabaseName=name)
        text = self.refused_text("ValidationException", self.loose_write.create_database, DatabaseName="a")
        self.assertIn("has 1 character;", text)

    def test_pattern_violation_has_the_framework_text(self):
        text = self.refused_text("ValidationException", self.write.create_database, DatabaseName="a b c")
        self.assertEqual("1 validation error detected: Value 'a b c' at 'databaseName' failed to satisfy "
                         "constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+", text)

    def test_missing_name_has_the_framework_text(self):
        text = self.refused_text("ValidationException", self.loose_write.create_database)
        self.assertRegex(text, "^1 validation error detected: Value '?null'? at 'databaseName' failed to "
                               "satisfy constraint: Member must not be null$")

    def test_kms_key_is_echoed_as_an_arn(self):
        key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/01234567-89ab-cdef-0123-456789abcdef"
        self.assertEqual(key, self.write.create_database(DatabaseName="kms1", KmsKeyId=key)["Database"]["KmsKeyId"])
        made = self.write.create_database(DatabaseName="kms2", KmsKeyId=key.rsplit("/", 1)[1])
        self.assertEqual(key, made["Database"]["KmsKeyId"])
        made = self.write.create_database(DatabaseName="kms3", KmsKeyId="alias/mine")
        self.assertTrue(made["Database"]["KmsKeyId"].startswith(f"arn:aws:kms:{REGION}:{ACCOUNT}:key/"))

    def test_8_5_an_alias_becomes_a_key(self):
        alias = f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/mine"
        made = self.write.create_database(DatabaseName="kms4", KmsKeyId=alias)["Database"]
        self.assertRegex(made["KmsKeyId"], f"^arn:aws:kms:{REGION}:{ACCOUNT}:key/[0-9a-f-]{{36}}$")
        again = self.write.update_database(DatabaseName="kms4", KmsKeyId=made["KmsKeyId"])["Database"]
        self.assertEqual(made["LastUpdatedTime"], again["LastUpdatedTime"], "the same key: nothing changes")
        for bad in ("arn:aws:s3:::bucket", "arn:", "not a key!!", f"arn:aws:kms:{REGION}:{ACCOUNT}:user/x"):
            with self.subTest(bad):
                self.refused("ValidationException", self.write.create_database, DatabaseName="kms5", KmsKeyId=bad)
                self.refused("ValidationException", self.write.update_database, DatabaseName="kms4", KmsKeyId=bad)

    def test_update_changes_key_and_time(self):
        first = self.write.create_database(DatabaseName="update")["Database"]
        key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-89ab-cdef-0123-456789abcdef"
        time.sleep(0.01)
        updated = self.write.update_database(DatabaseName="update", KmsKeyId=key)["Database"]
        self.assertEqual(key, updated["KmsKeyId"])
        self.assertEqual(first["CreationTime"], updated["CreationTime"])
        self.assertLess(first["LastUpdatedTime"], updated["LastUpdatedTime"])
        self.assertEqual(key, self.write.update_database(DatabaseName="update", KmsKeyId=key)["Database"]["KmsKeyId"])
        self.assertEqual(key, self.write.describe_database(DatabaseName="update")["Database"]["KmsKeyId"])

    def test_operations_on_a_missing_database(self):
        expected = "The database absent does not exist."
        for call, more in ((self.write.describe_database, {}), (self.write.delete_database, {}),
                           (self.write.update_database, {"KmsKeyId": "alias/x"}),
                           (self.write.list_tables, {}), (self.write.create_table, {"TableName": "tab"}),
                           (self.write.describe_table, {"TableName": "tab"}),
                           (self.write.delete_table, {"TableName": "tab"})):
            with self.subTest(call=call.__name__):
                text = self.refused_text("ResourceNotFoundException", call, DatabaseName="absent", **more)
                self.assertEqual(expected, text)

    def test_delete_wants_an_empty_database(self):
        self.write.create_database(DatabaseName="full")
        self.write.create_table(DatabaseName="full", TableName="table")
        self.refused("ValidationException", self.write.delete_database, DatabaseName="full")
        self.assertEqual(1, self.write.describe_database(DatabaseName="full")["Database"]["TableCount"])
        self.write.delete_table(DatabaseName="full", TableName="table")
        answer = self.write.delete_database(DatabaseName="full")
        self.assertEqual(200, answer["ResponseMetadata"]["HTTPStatusCode"])
        self.refused("ResourceNotFoundException", self.write.delete_database, DatabaseName="full")

    def test_list_is_sorted_and_paged(self):
        names = [f"db{i:02d}" for i in range(23)]
        for name in reversed(names):
            self.write.create_database(DatabaseName=name)
        page = self.write.list_databases()
        self.assertEqual(20, len(page["Databases"]))
        rest = self.write.list_databases(NextToken=page["NextToken"])
        self.assertNotIn("NextToken", rest)
        self.assertEqual(names, [d["DatabaseName"] for d in page["Databases"] + rest["Databases"]])
        seen, token, pages = [], {}, 0
        while True:
            page = self.write.list_databases(MaxResults=7, **token)
            self.assertLessEqual(len(page["Databases"]), 7)
            seen += [d["DatabaseName"] for d in page["Databases"]]
            pages += 1
            if "NextToken" not in page:
                break
            token = {"NextToken": page["NextToken"]}
        self.assertEqual((names, 4), (seen, pages))

    def test_list_refuses_bad_page_sizes_and_tokens(self):
        for size in (0, 21, -1):
            self.refused("ValidationException", self.loose_write.list_databases, MaxResults=size)
        for token in ("nonsense", "AAAA", "ö"):
            self.refused("ValidationException", self.write.list_databases, NextToken=token)

    def test_token_of_another_list_is_refused(self):
        for i in range(3):
            self.write.create_database(DatabaseName=f"tok{i}")
        token = self.write.list_databases(MaxResults=1)["NextToken"]
        self.refused("ValidationException", self.write.list_tables, NextToken=token)

    def test_region_of_arns_is_that_of_the_signature(self):
        self.write.create_database(DatabaseName="regional")
        elsewhere = self.server.client("timestream-write", region="eu-central-1")
        arn = elsewhere.describe_database(DatabaseName="regional")["Database"]["Arn"]
        self.assertEqual(f"arn:aws:timestream:eu-central-1:{ACCOUNT}:database/regional", arn)


class Tables(ServerCase):
    def setUp(self):
        self.make_database()

    def create(self, name, loose=False, **more):
        if "Schema" in more:  # unknown to Debian's boto3
            return self.call("CreateTable", DatabaseName=self.DATABASE, TableName=name, **more)["Table"]
        client = self.loose_write if loose else self.write
        return client.create_table(DatabaseName=self.DATABASE, TableName=name, **more)["Table"]

    def describe(self, name):
        return self.write.describe_table(DatabaseName=self.DATABASE, TableName=name)["Table"]

    def schema(self, name):
        return self.call("DescribeTable", DatabaseName=self.DATABASE, TableName=name)["Table"]["Schema"]

    def update(self, name, **more):
        if "Schema" in more:
            return self.call("UpdateTable", DatabaseName=self.DATABASE, TableName=name, **more)["Table"]
        return self.write.update_table(DatabaseName=self.DATABASE, TableName=name, **more)["Table"]

    def test_create_answers_the_defaults(self):
        table = self.create("defaults")
        self.assertEqual({"Arn", "TableName", "DatabaseName", "TableStatus", "RetentionProperties",
                          "CreationTime", "LastUpdatedTime", "MagneticStoreWriteProperties"}, set(table))
        self.assertEqual(f"{ARN}{self.DATABASE}/table/defaults", table["Arn"])
        self.assertEqual("ACTIVE", table["TableStatus"])
        self.assertEqual({"MemoryStoreRetentionPeriodInHours": 6, "MagneticStoreRetentionPeriodInDays": 73000},
                         table["RetentionProperties"])
        self.assertEqual({"EnableMagneticStoreWrites": False}, table["MagneticStoreWriteProperties"])
        self.assertEqual({"CompositePartitionKey": [{"Type": "MEASURE"}]}, self.schema("defaults"))
        self.assertEqual(table, self.describe("defaults"))

    def test_create_twice_is_a_conflict(self):
        self.create("twice")
        self.refused("ConflictException", self.create, "twice")

    def test_names_have_3_to_256_characters_of_a_set(self):
        for name in ("tab", "a.b-c_D9", "y" * 256):
            self.create(name)
        for name in ("ta", "y" * 257, "a b c", "a/b/c"):
            with self.subTest(name=name[:12]):
                self.refused("ValidationException", self.create, name, loose=True)

    def test_a_new_table_takes_writes_at_once(self):
        self.create("atonce")
        self.assertEqual(1, self.put("atonce", self.record())["Total"])

    def test_retention_is_stored_and_bounded(self):
        retention = {"MemoryStoreRetentionPeriodInHours": 8766, "MagneticStoreRetentionPeriodInDays": 73000}
        self.assertEqual(retention, self.create("longest", RetentionProperties=retention)["RetentionProperties"])
        for hours, days in ((0, 1), (8767, 1), (1, 0), (1, 73001)):
            with self.subTest(hours=hours, days=days):
                text = self.refused_text(
                    "ValidationException", self.create, "bounds", loose=True,
                    RetentionProperties={"MemoryStoreRetentionPeriodInHours": hours,
                                         "MagneticStoreRetentionPeriodInDays": days})
                self.assertIn("failed to satisfy constraint: Member must have value", text)
                self.assertIn("retentionProperties.", text)

    def test_retention_wants_both_members(self):
        self.refused("ValidationException", self.create, "half", loose=True,
                     RetentionProperties={"MemoryStoreRetentionPeriodInHours": 1})

    def test_update_changes_what_is_given_and_keeps_the_rest(self):
        first = self.create("update", MagneticStoreWriteProperties={"EnableMagneticStoreWrites": True})
        time.sleep(0.01)
        retention = {"MemoryStoreRetentionPeriodInHours": 24, "MagneticStoreRetentionPeriodInDays": 7}
        updated = self.update("update", RetentionProperties=retention)
        self.assertEqual(retention, updated["RetentionProperties"])
        self.assertTrue(updated["MagneticStoreWriteProperties"]["EnableMagneticStoreWrites"])
        self.assertLess(first["LastUpdatedTime"], updated["LastUpdatedTime"])
        self.assertEqual(first["CreationTime"], updated["CreationTime"])
        updated = self.update("update", MagneticStoreWriteProperties={"EnableMagneticStoreWrites": False})
        self.assertEqual(retention, updated["RetentionProperties"])
        self.assertEqual({"EnableMagneticStoreWrites": False}, updated["MagneticStoreWriteProperties"])
        self.assertEqual(updated, self.describe("update"))

    def test_update_wants_something_to_change(self):
        self.create("nothing")
        self.refused("ValidationException", self.update, "nothing")

    def test_rejected_data_location_is_echoed_as_given(self):
        properties = {"EnableMagneticStoreWrites": True, "MagneticStoreRejectedDataLocation": {
            "S3Configuration": {"BucketName": "my-bucket", "ObjectKeyPrefix": "rejected/here",
                                "EncryptionOption": "SSE_S3"}}}
        table = self.create("location", MagneticStoreWriteProperties=properties)
        self.assertEqual(properties, table["MagneticStoreWriteProperties"])
        self.assertEqual(properties, self.describe("location")["MagneticStoreWriteProperties"])
        with_key = {"EnableMagneticStoreWrites": True, "MagneticStoreRejectedDataLocation": {
            "S3Configuration": {"BucketName": "other", "EncryptionOption": "SSE_KMS", "KmsKeyId": "alias/k"}}}
        self.update("location", MagneticStoreWriteProperties=with_key)
        self.assertEqual(with_key, self.describe("location")["MagneticStoreWriteProperties"])

    def test_rejected_data_location_needs_magnetic_writes(self):
        self.refused("ValidationException", self.create, "needless", MagneticStoreWriteProperties={
            "EnableMagneticStoreWrites": False, "MagneticStoreRejectedDataLocation": {
                "S3Configuration": {"BucketName": "my-bucket"}}})

    def test_bucket_names_are_checked(self):
        for bucket in ("UPPER", "a", "-dash", "b" * 64):
            with self.subTest(bucket=bucket[:8]):
                self.refused("ValidationException", self.create, "bucket", loose=True, MagneticStoreWriteProperties={
                    "EnableMagneticStoreWrites": True, "MagneticStoreRejectedDataLocation": {
                        "S3Configuration": {"BucketName": bucket}}})

    def test_operations_on_a_missing_table(self):
        for call, more in ((self.write.describe_table, {}), (self.write.delete_table, {}),
                           (self.write.update_table, {"MagneticStoreWriteProperties": {"EnableMagneticStoreWrites": True}}),
                           (self.write.write_records, {"Records": [self.record()]})):
            with self.subTest(call=call.__name__):
                text = self.refused_text("ResourceNotFoundException", call,
                                         DatabaseName=self.DATABASE, TableName="absent", **more)
                self.assertEqual("The table absent does not exist.", text)

    def test_a_deleted_table_comes_back_empty(self):
        self.create("again")
        self.put("again", self.record())
        answer = self.write.delete_table(DatabaseName=self.DATABASE, TableName="again")
        self.assertEqual(200, answer["ResponseMetadata"]["HTTPStatusCode"])
        self.refused("ResourceNotFoundException", self.describe, "again")
        self.create("again")
        self.assertEqual(0, self.count("again"))
        self.put("again", self.record(name="other", value="1", MeasureValueType="BIGINT"))
        self.assertEqual(1, self.count("again"))

    def test_list_is_sorted_and_paged_in_and_over_databases(self):
        for database in ("listed-a", "listed-b"):
            self.make_database(database)
            for i in range(12):
                self.write.create_table(DatabaseName=database, TableName=f"tab{i:02d}")
        names = [f"tab{i:02d}" for i in range(12)]

        def all_pages(size, **more):
            found, token = [], {}
            while True:
                page = self.write.list_tables(MaxResults=size, **token, **more)
                self.assertLessEqual(len(page["Tables"]), size)
                found += [(t["DatabaseName"], t["TableName"]) for t in page["Tables"]]
                if "NextToken" not in page:
                    return found
                token = {"NextToken": page["NextToken"]}

        self.assertEqual([("listed-a", n) for n in names], all_pages(5, DatabaseName="listed-a"))
        everything = [x for x in all_pages(20) if x[0].startswith("listed-")]
        self.assertEqual([(d, n) for d in ("listed-a", "listed-b") for n in names], everything)
        for size in (0, 21):
            self.refused("ValidationException", self.loose_write.list_tables, MaxResults=size)

    # -- partition keys --------------------------------------------------------------------------

    @staticmethod
    def key(name=None, enforcement=None, type="DIMENSION"):
        made = {"Type": type}
        if name is not None:
            made["Name"] = name
        if enforcement is not None:
            made["EnforcementInRecord"] = enforcement
        return {"CompositePartitionKey": [made]}

    def test_3_13_partition_keys_are_echoed(self):
        for name, schema in (("key1", self.key("host", "REQUIRED")), ("key2", self.key("host", "OPTIONAL")),
                             ("key3", self.key(type="MEASURE"))):
            self.assertEqual(schema, self.create(name, Schema=schema)["Schema"])
            self.assertEqual(schema, self.schema(name))

    def test_3_13_enforcement_is_optional_unless_given(self):
        self.assertEqual(self.key("host", "OPTIONAL"), self.create("key4", Schema=self.key("host"))["Schema"])

    def test_3_13_exactly_one_key(self):
        two = {"CompositePartitionKey": [{"Type": "DIMENSION", "Name": "a"}, {"Type": "DIMENSION", "Name": "b"}]}
        text = self.refused_text("ValidationException", self.create, "key5", Schema=two)
        self.assertEqual("You have specified too many partition keys to be used in your composite partition key. "
                         "Only 1 partition keys can be specified.", text)
        self.refused("ValidationException", self.create, "key5", loose=True, Schema={"CompositePartitionKey": []})

    def test_3_13_members_must_suit_the_type(self):
        for schema in (self.key(), self.key("m", type="MEASURE"), self.key(None, "REQUIRED", "MEASURE"),
                       self.key("x", "SOMETIMES"), self.key("x", None, "OTHER"), self.key(""),
                       # No record could have these as dimensions.
                       self.key("time", "REQUIRED"), self.key("measure_value::double"), self.key("a:b"),
                       self.key("x" * 61)):
            with self.subTest(schema=schema):
                self.refused("ValidationException", self.create, "key6", loose=True, Schema=schema)
        self.refused("ResourceNotFoundException", self.describe, "key6")

    def test_3_13_enforcement_can_be_updated_both_ways(self):
        self.create("key7", Schema=self.key("host", "OPTIONAL"))
        for enforcement in ("REQUIRED", "OPTIONAL", "REQUIRED"):
            schema = self.key("host", enforcement)
            self.assertEqual(schema, self.update("key7", Schema=schema)["Schema"])
            self.assertEqual(schema, self.schema("key7"))

    def test_3_13_name_and_type_cannot_be_updated(self):
        self.create("key8", Schema=self.key("host", "OPTIONAL"))
        for schema in (self.key("other", "OPTIONAL"), self.key(type="MEASURE")):
            self.refused("ValidationException", self.update, "key8", Schema=schema)
        self.create("key9")
        self.refused("ValidationException", self.update, "key9", Schema=self.key("host", "OPTIONAL"))
        self.assertEqual(self.key("host", "OPTIONAL"), self.schema("key8"))


class Tags(ServerCase):
    def setUp(self):
        self.make_database()
        type(self)._table_number += 1
        self.table = f"tag{self._table_number:03d}"

    def arn(self, table=None):
        return ARN + self.DATABASE + (f"/table/{table}" if table else "")

    def tags(self, arn):
        return {tag["Key"]: tag["Value"] for tag in self.write.list_tags_for_resource(ResourceARN=arn)["Tags"]}

    def create(self, tags):
        self.write.create_table(DatabaseName=self.DATABASE, TableName=self.table, Tags=tags)
        return self.arn(self.table)

    def test_tags_given_at_creation(self):
        arn = self.create([{"Key": "team", "Value": "blue"}, {"Key": "empty", "Value": ""}])
        self.assertEqual({"team": "blue", "empty": ""}, self.tags(arn))
        self.write.create_database(DatabaseName="tagged", Tags=[{"Key": "k", "Value": "v"}])
        self.assertEqual({"k": "v"}, self.tags(ARN + "tagged"))

    def test_an_empty_list_of_tags_is_fine(self):
        self.assertEqual({}, self.tags(self.create([])))

    def test_tagging_adds_and_overwrites_and_is_case_sensitive(self):
        arn = self.create([{"Key": "Owner", "Value": "a"}])
        self.write.tag_resource(ResourceARN=arn, Tags=[{"Key": "owner", "Value": "b"}, {"Key": "Owner", "Value": "c"}])
        self.assertEqual({"Owner": "c", "owner": "b"}, self.tags(arn))

    def test_untagging_ignores_unknown_keys(self):
        arn = self.create([{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
        self.write.untag_resource(ResourceARN=arn, TagKeys=["a", "never"])
        self.assertEqual({"b": "2"}, self.tags(arn))

    def test_8_3_at_most_50_tags(self):
        arn = self.create([{"Key": f"k{i}", "Value": "v"} for i in range(50)])
        self.refused("ServiceQuotaExceededException", self.write.tag_resource, ResourceARN=arn,
                     Tags=[{"Key": "more", "Value": "v"}])
        self.write.tag_resource(ResourceARN=arn, Tags=[{"Key": "k7", "Value": "new"}])
        self.assertEqual((50, "new"), (len(self.tags(arn)), self.tags(arn)["k7"]))

    def test_2_3_9_tags_have_pages(self):
        arn = self.create([{"Key": f"k{i:02d}", "Value": str(i)} for i in range(5)])
        seen, token = [], {}
        while True:
            page = self.call("ListTagsForResource", ResourceARN=arn, MaxResults=2, **token)
            seen.append([tag["Key"] for tag in page["Tags"]])
            if "NextToken" not in page:
                break
            token = {"NextToken": page["NextToken"]}
        self.assertEqual([["k00", "k01"], ["k02", "k03"], ["k04"]], seen)
        for bad in ({"NextToken": "garbage"}, {"MaxResults": 0}, {"MaxResults": 201}):
            with self.subTest(bad), self.assertRaises(Exception) as caught:
                self.call("ListTagsForResource", ResourceARN=arn, **bad)
            self.assertEqual("ValidationException", caught.exception.response["Error"]["Code"])

    def test_2_2_13_arns_of_others(self):
        mine = self.create([])
        for arn in (mine.replace(ACCOUNT, "1"), mine.replace(ACCOUNT, ""), mine.replace(REGION, ""),
                    mine.replace("arn:aws:", "arn:awsx:"), mine.replace("arn:aws:", "arn:aws-cn:")):
            with self.subTest(arn):
                self.refused("ValidationException", self.write.list_tags_for_resource, ResourceARN=arn)
                self.refused("ValidationException", self.write.untag_resource, ResourceARN=arn, TagKeys=["a"])
        self.refused("ResourceNotFoundException", self.write.list_tags_for_resource,
                     ResourceARN=mine.replace(ACCOUNT, "999999999999"))

    def test_8_3_prefix_aws_is_reserved(self):
        arn = self.create([])
        self.refused("ValidationException", self.write.tag_resource, ResourceARN=arn,
                     Tags=[{"Key": "aws:mine", "Value": "v"}])

    def test_8_3_lengths_and_characters(self):
        arn = self.create([])
        self.write.tag_resource(ResourceARN=arn, Tags=[{"Key": "k" * 128, "Value": "v" * 256},
                                                       {"Key": "a b+c-d=e.f_g:h/i", "Value": "a b+c-d=e.f_g:h/i"}])
        for key, value in (("", "v"), ("k" * 129, "v"), ("k", "v" * 257), ("bad;key", "v"), ("k", "bad|value")):
            with self.subTest(key=key[:8], value=value[:8]):
                self.refused("ValidationException", self.loose_write.tag_resource, ResourceARN=arn,
                             Tags=[{"Key": key, "Value": value}])
        self.assertEqual(2, len(self.tags(arn)))

    def test_unknown_and_malformed_arns(self):
        for arn in (self.arn("absent"), ARN + "absent",
                    f"arn:aws:timestream:{REGION}:{ACCOUNT}:scheduled-query/absent-hd734tegrgfd"):
            with self.subTest(arn=arn):
                self.refused("ResourceNotFoundException", self.write.list_tags_for_resource, ResourceARN=arn)
                self.refused("ResourceNotFoundException", self.write.tag_resource, ResourceARN=arn,
                             Tags=[{"Key": "k", "Value": "v"}])
                self.refused("ResourceNotFoundException", self.write.untag_resource, ResourceARN=arn, TagKeys=["k"])
        for arn in ("nonsense", "arn:aws:s3:::bucket", "arn:aws:timestream", ARN, ARN + "a/b/c", "x" * 1012):
            with self.subTest(arn=arn[:40]):
                self.refused("ValidationException", self.write.list_tags_for_resource, ResourceARN=arn)

    def test_the_query_service_lists_them_too(self):
        arn = self.create([{"Key": "via", "Value": "query"}])
        self.assertEqual([{"Key": "via", "Value": "query"}],
                         self.query.list_tags_for_resource(ResourceARN=arn)["Tags"])

    def test_a_deleted_table_takes_its_tags_with_it(self):
        arn = self.create([{"Key": "old", "Value": "1"}])
        self.write.delete_table(DatabaseName=self.DATABASE, TableName=self.table)
        self.write.create_table(DatabaseName=self.DATABASE, TableName=self.table)
        self.assertEqual({}, self.tags(arn))


class Endpoints(ServerCase):
    def test_both_services_describe_the_endpoint_with_its_scheme(self):
        for client in (self.write, self.query):
            (endpoint,) = client.describe_endpoints()["Endpoints"]
            self.assertEqual({"Address": self.server.url, "CachePeriodInMinutes": 1440}, endpoint)
            self.assertTrue(re.match("^http://", endpoint["Address"]))


if __name__ == "__main__":
    unittest.main()
