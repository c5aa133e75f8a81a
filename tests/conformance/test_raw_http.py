#!/usr/bin/python3
"""Requests by hand: endpoint discovery by user agent, and everything malformed that we could think of.

After every malformed request the server must be up and healthy; its exit status is checked at the end.
"""
import datetime
import hashlib
import json
import os
import socket
import time
import unittest

import sigv4
from harness import REGION, ServerCase

CORAL = "com.amazon.coral.service#"


class RawCase(ServerCase):
    @classmethod
    def connect_clients(cls):
        pass  # no SDK is needed here

    def tearDown(self):
        self.assert_healthy()

    def assert_healthy(self):
        connection = self.server.connect(timeout=10)
        connection.request("GET", "/health")
        self.assertEqual(200, connection.getresponse().status)
        connection.close()

    def post(self, body, headers, method="POST", path="/"):
        """(status, headers, parsed or None, raw) of one request with exactly these headers."""
        connection = self.server.connect()
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                if value is not None:
                    connection.putheader(name, value)
            if "Content-Length" not in headers and "Transfer-Encoding" not in headers:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            raw = answer.read()
        finally:
            connection.close()
        try:
            parsed = json.loads(raw) if raw else None
        except ValueError:
            parsed = None
        return answer.status, answer.headers, parsed, raw

    def signed(self, operation, body, **bend):
        return self.server.headers(operation, body, **bend)

    def check_error(self, answer, status, type):
        """An error answer as clients expect it: status, `__type`, both message keys, headers."""
        self.assertEqual((status, type), (answer[0], (answer[2] or {}).get("__type")), answer[3][:500])
        self.assertEqual("application/x-amz-json-1.0", answer[1]["Content-Type"])
        self.assertRegex(answer[1]["x-amzn-RequestId"], "^[A-Z2-7]{26}$")
        self.assertEqual(type.split("#")[1], answer[1]["x-amzn-ErrorType"])
        if type != CORAL + "UnknownOperationException":
            self.assertTrue(answer[2]["message"])
            self.assertEqual(answer[2]["message"], answer[2]["Message"])
        return answer[2].get("message")

    def exchange(self, data, timeout=10):
        """Sends bytes as they are; what comes back until the server closes or is silent."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout) as connection:
            answer = b""
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                while piece := connection.recv(65536):
                    answer += piece
            except (TimeoutError, ConnectionError):
                pass
            return answer


class Discovery(RawCase):
    def address(self, host=None, operation="DescribeEndpoints", **headers):
        body = b"{}"
        host = host or f"127.0.0.1:{self.server.port}"
        status, _, parsed, raw = self.post(body, self.signed(operation, body, Host=host, **headers))
        self.assertEqual(200, status, raw)
        (endpoint,) = parsed["Endpoints"]
        self.assertEqual(1440, endpoint["CachePeriodInMinutes"])
        return endpoint["Address"]

    def test_botocore_gets_a_url(self):
        for agent in ("Boto3/1.26.27 Python/3.11.2 Linux/6.1 Botocore/1.29.27", "aws-cli/2.9.19 Python/3.11.2 Linux/6.1",
                      "Boto3/1.43.11 md/Botocore#1.43.11 ua/2.1 os/linux#6.1 lang/python#3.12"):
            self.assertEqual(self.server.url, self.address(**{"User-Agent": agent, "x-amz-api-version": "2018-11-01"}))

    def test_go_gets_a_url(self):
        self.assertEqual(self.server.url, self.address(
            **{"User-Agent": "aws-sdk-go-v2/1.39.0 ua/2.1 os/linux lang/go#1.24 md/GOOS#linux api/timestreamquery#1.35.0"}))

    def test_javascript_gets_the_bare_host(self):
        self.assertEqual("127.0.0.1", self.address(
            **{"user-agent": "aws-sdk-js/3.956.0 ua/2.1 os/linux#6.1 lang/js md/nodejs#18.20.4 api/timestream-write#3.956.0"}))
        self.assertEqual("127.0.0.1", self.address(**{"x-amz-user-agent": "aws-sdk-js/3.956.0"}))

    def test_java_and_unknown_agents_get_a_url(self):
        for agent in ("aws-sdk-java/2.30.1 ua/2.1 api/Timestream_Write#2.30.1", "curl/7.88.1", "aws-sdk-rust/1.3.0"):
            self.assertEqual(self.server.url, self.address(**{"User-Agent": agent}))

    def test_the_address_is_the_host_as_received(self):
        self.assertEqual("http://db.example.com:8433", self.address("db.example.com:8433"))
        self.assertEqual("http://db.example.com", self.address("db.example.com"))
        self.assertEqual("http://[::1]:8433", self.address("[::1]:8433"))
        self.assertEqual("db.example.com", self.address("db.example.com:8433", **{"User-Agent": "aws-sdk-js/3.956.0"}))

    def test_it_is_authenticated_like_every_call(self):
        answer = self.post(b"{}", {"Host": "x", "X-Amz-Target": "Timestream_20181101.DescribeEndpoints"})
        self.check_error(answer, 400, CORAL + "MissingAuthenticationTokenException")

    def test_an_empty_body_is_fine(self):
        self.assertEqual(200, self.post(b"", self.signed("DescribeEndpoints", b""))[0])


class Advertised(RawCase):
    FLAGS = ("--endpoint", "https://timestream.example.com")

    def test_the_configured_address_is_given_to_all(self):
        for agent in ("Boto3/1.26.27", "aws-sdk-js/3.956.0"):
            status, _, body, _ = self.server.call("DescribeEndpoints", {}, **{"User-Agent": agent})
            self.assertEqual((200, "https://timestream.example.com"), (status, body["Endpoints"][0]["Address"]))


class Routing(RawCase):
    def test_unknown_targets(self):
        for target in ("Timestream_20181101.NoSuchOperation", "Timestream_20181101.", "Timestream_20181101", "", "x", "Timestream_20181101.query",
                       "DynamoDB_20120810.ListTables", "Timestream_20181101.Query.Query", "Timestream_20181101.Query ",
                       "Timestream_20181101." + "Q" * 4000):
            with self.subTest(target=target[:50]):
                headers = self.signed("Query", b"{}", **{"X-Amz-Target": target.strip()})
                answer = self.post(b"{}", headers)
                if target.strip() == "Timestream_20181101.Query":
                    self.check_error(answer, 400, "com.amazon.coral.validate#ValidationException")
                    continue
                self.check_error(answer, 404, CORAL + "UnknownOperationException")
                self.assertEqual(b'{"__type":"com.amazon.coral.service#UnknownOperationException"}', answer[3])

    def test_a_missing_target(self):
        headers = self.signed("Query", b"{}")
        del headers["X-Amz-Target"]
        self.check_error(self.post(b"{}", headers), 404, CORAL + "UnknownOperationException")

    def test_other_paths(self):
        for path in ("/other", "//", "/?x=1&y"):
            answer = self.post(b"{}", self.signed("Query", b"{}"), path=path)
            self.assertIn(answer[0], (400, 404), path)

    def test_other_methods(self):
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"):
            with self.subTest(method=method):
                answer = self.post(b"{}", self.signed("Query", b"{}"), method=method)
                self.assertEqual(405, answer[0])
                self.assertEqual("POST", answer[1]["Allow"])
                self.assertEqual("Only POST is supported.", answer[2]["message"])
                for path in ("/health", "/metrics", "/nothing"):
                    self.assertEqual(404, self.post(b"{}", self.signed("Query", b"{}"), method=method, path=path)[0], path)
        for path, status in (("/", 404), ("/nothing", 404), ("/health", 200), ("/metrics", 200)):
            self.assertEqual(status, self.post(b"", {"Host": "x"}, method="GET", path=path)[0], path)

    def test_head_of_health_has_no_body(self):
        """Load balancers probe with HEAD: as GET, without its body."""
        def fields(answer):
            lines = answer.split(b"\r\n\r\n")[0].split(b"\r\n")
            return lines[0], {line for line in lines[1:] if not line.startswith((b"Date:", b"Content-Length:"))}

        for path, status in ((b"/health", b"200 OK"), (b"/metrics", b"200 OK"), (b"/nothing", b"404 Not Found")):
            with self.subTest(path=path):
                request = b" %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path
                head, get = self.exchange(b"HEAD" + request), self.exchange(b"GET" + request)
                self.assertEqual(fields(get), fields(head))
                self.assertEqual(b"HTTP/1.1 " + status, fields(head)[0])
                self.assertRegex(head, rb"Content-Length: [1-9]")
                self.assertTrue(head.endswith(b"\r\n\r\n"), head)
                self.assertFalse(get.endswith(b"\r\n\r\n"), get)

    def test_operations_that_come_later_say_so(self):
        for operation in ("CreateBatchLoadTask", "DescribeBatchLoadTask", "ListBatchLoadTasks", "ResumeBatchLoadTask",
                          "CreateScheduledQuery", "DeleteScheduledQuery", "DescribeScheduledQuery", "ExecuteScheduledQuery",
                          "ListScheduledQueries", "UpdateScheduledQuery", "DescribeAccountSettings", "UpdateAccountSettings"):
            with self.subTest(operation=operation):
                answer = self.server.call(operation, {})
                self.check_error(answer, 404, CORAL + "UnknownOperationException")
                self.assertEqual({"__type": CORAL + "UnknownOperationException", "message": f"{operation} is not supported yet",
                                  "Message": f"{operation} is not supported yet"}, answer[2])

    def test_unknown_operations_are_told_beside_the_bare_body(self):
        for operation, text in (("NoSuchOperation", "there is no operation NoSuchOperation"),
                                ("Q" * 4000, "there is no operation " + "Q" * 64)):
            with self.subTest(operation=operation[:20]):
                answer = self.server.call(operation, {})
                self.check_error(answer, 404, CORAL + "UnknownOperationException")
                self.assertEqual(text, answer[1]["x-tideline-message"])

    def test_content_type_with_a_charset_is_fine(self):
        for type in ("application/x-amz-json-1.0; charset=utf-8", "application/json", None):
            headers = {"Host": f"127.0.0.1:{self.server.port}", "X-Amz-Date": sigv4.amz_date(),
                       "X-Amz-Target": "Timestream_20181101.ListDatabases"}
            if type:
                headers["Content-Type"] = type
            access_key, secret = self.server.root_key
            headers["Authorization"] = sigv4.authorization(headers, b"{}", access_key, secret, REGION)
            self.assertEqual(200, self.post(b"{}", headers)[0], type)

    def test_many_requests_on_one_connection(self):
        connection = self.server.connect()
        for i in range(200):
            status, _, body, _ = self.server.call("Query", {"QueryString": f"SELECT {i}"}, connection)
            self.assertEqual((200, str(i)), (status, body["Rows"][0]["Data"][0]["ScalarValue"]))
            if i % 50 == 0:
                self.assertEqual(400, self.server.call("Query", b"not json", connection)[0])
        connection.close()

    def test_expect_100_continue(self):
        body = b'{"QueryString":"SELECT 1"}'
        head = "".join(f"{n}: {v}\r\n" for n, v in self.signed("Query", body).items())
        with socket.create_connection(("127.0.0.1", self.server.port), 10) as connection:
            connection.sendall(f"POST / HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n".encode())
            self.assertTrue(connection.recv(4096).startswith(b"HTTP/1.1 100 "))
            connection.sendall(body)
            self.assertTrue(connection.recv(65536).startswith(b"HTTP/1.1 200 "))

    def test_chunked_bodies(self):
        body = b'{"QueryString":"SELECT 1"}'
        headers = self.signed("Query", body)
        head = "".join(f"{n}: {v}\r\n" for n, v in headers.items())
        chunks = b"5\r\n" + body[:5] + b"\r\n%x;ext=1\r\n" % len(body[5:]) + body[5:] + b"\r\n0\r\nTrailer: x\r\n\r\n"
        answer = self.exchange(f"POST / HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode() + chunks)
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer[:200])

    def test_a_body_that_comes_byte_by_byte(self):
        body = b'{"QueryString":"SELECT 1"}'
        head = "".join(f"{n}: {v}\r\n" for n, v in self.signed("Query", body).items())
        data = f"POST / HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        with socket.create_connection(("127.0.0.1", self.server.port), 10) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for i in range(0, len(data), 7):
                connection.sendall(data[i:i + 7])
            self.assertTrue(connection.recv(65536).startswith(b"HTTP/1.1 200 "))

    def test_pipelined_requests_are_answered_in_order(self):
        data = b""
        for i in range(20):
            body = b'{"QueryString":"SELECT %d"}' % (1000 + i)
            head = "".join(f"{n}: {v}\r\n" for n, v in self.signed("Query", body).items())
            data += f"POST / HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n".encode()
            data += (b"Connection: close\r\n" if i == 19 else b"") + b"\r\n" + body
        answer = self.exchange(data)
        self.assertEqual(20, answer.count(b"HTTP/1.1 200 "), answer[:300])
        places = [answer.find(b'"ScalarValue":"%d"' % (1000 + i)) for i in range(20)]
        self.assertEqual(sorted(places), places)
        self.assertGreater(places[0], 0)


class Signatures(RawCase):
    BODY = b'{"QueryString":"SELECT 1"}'

    def base(self, **more):
        headers = {"Host": f"127.0.0.1:{self.server.port}", "Content-Type": "application/x-amz-json-1.0",
                   "X-Amz-Date": sigv4.amz_date(), "X-Amz-Target": "Timestream_20181101.Query"}
        headers.update(more)
        return headers

    def ask(self, headers=None, body=BODY, access_key=None, secret=None, **bend):
        headers = headers or self.base()
        key, value = self.server.root_key
        headers["Authorization"] = sigv4.authorization(headers, self.BODY, access_key or key, secret or value, **bend)
        return self.post(body, headers)

    def refused(self, answer, name, text=None):
        message = self.check_error(answer, 400, CORAL + name)
        if text:
            self.assertIn(text, message)

    def test_the_signature_as_it_should_be(self):
        self.assertEqual(200, self.ask()[0])

    def test_headers_in_any_case_and_with_blanks(self):
        headers = {"host": f"127.0.0.1:{self.server.port}", "CONTENT-TYPE": "application/x-amz-json-1.0",
                   "x-aMz-dAte": sigv4.amz_date(), "x-amz-target": "Timestream_20181101.Query", "X-Other": "a   b \t c  "}
        self.assertEqual(200, self.ask(headers)[0])

    def test_fewest_signed_headers(self):
        self.assertEqual(200, self.ask(signed=["host", "x-amz-date"])[0])

    def test_any_region(self):
        for region in ("us-east-1", "eu-central-1", "local", "x"):
            self.assertEqual(200, self.ask(region=region)[0])

    def test_declared_payload_hash(self):
        digest = hashlib.sha256(self.BODY).hexdigest()
        self.assertEqual(200, self.ask(self.base(**{"x-amz-content-sha256": digest}))[0])
        for wrong in ("0" * 64, "UNSIGNED-PAYLOAD", "", "x"):
            self.refused(self.ask(self.base(**{"x-amz-content-sha256": wrong or "0"}), payload_hash=wrong or None),
                         "InvalidSignatureException")

    def test_no_authorization(self):
        self.refused(self.post(self.BODY, self.base()), "MissingAuthenticationTokenException", "Missing Authentication Token")

    def test_unknown_key(self):
        self.refused(self.ask(access_key="AKIAIOSFODNN7EXAMPLE"), "UnrecognizedClientException",
                     "The security token included in the request is invalid.")

    def test_wrong_secret(self):
        self.refused(self.ask(secret="wrong"), "InvalidSignatureException",
                     "The request signature we calculated does not match the signature you provided.")

    def test_changed_body_header_or_target(self):
        headers = self.base()
        self.refused(self.ask(headers, body=b'{"QueryString":"SELECT 2"}'), "InvalidSignatureException")
        for name, value in (("X-Amz-Target", "Timestream_20181101.ListDatabases"), ("Host", "other"),
                            ("Content-Type", "text/plain")):
            headers = self.base()
            key, secret = self.server.root_key
            headers["Authorization"] = sigv4.authorization(headers, self.BODY, key, secret)
            headers[name] = value
            self.refused(self.post(self.BODY, headers), "InvalidSignatureException")

    def test_clock_skew(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        for minutes in (-14, 14):
            date = sigv4.amz_date(now + datetime.timedelta(minutes=minutes))
            self.assertEqual(200, self.ask(self.base(**{"X-Amz-Date": date}))[0])
        for minutes, text in ((-16, "Signature expired: "), (16, "Signature not yet current: "), (-60 * 24 * 400, "Signature expired: "),
                              (60 * 24 * 400, "Signature not yet current: ")):
            date = sigv4.amz_date(now + datetime.timedelta(minutes=minutes))
            self.refused(self.ask(self.base(**{"X-Amz-Date": date})), "InvalidSignatureException", text + date)

    def test_wrong_service_in_the_scope(self):
        self.refused(self.ask(service="dynamodb"), "InvalidSignatureException", "Credential should be scoped to correct service")

    def test_scope_of_another_day(self):
        self.refused(self.ask(scope_date="20200101"), "InvalidSignatureException")

    def test_unsigned_date_or_host(self):
        for signed in (["host"], ["x-amz-date"], ["content-type", "x-amz-target"]):
            self.refused(self.ask(signed=signed), "InvalidSignatureException")

    def test_session_token_must_be_signed(self):
        headers = self.base()
        key, secret = self.server.root_key
        headers["Authorization"] = sigv4.authorization(headers, self.BODY, key, secret)
        headers["X-Amz-Security-Token"] = "token"
        self.refused(self.post(self.BODY, headers), "InvalidSignatureException")

    def test_a_missing_date(self):
        headers = self.base()
        key, secret = self.server.root_key
        headers["Authorization"] = sigv4.authorization(headers, self.BODY, key, secret)
        del headers["X-Amz-Date"]
        self.refused(self.post(self.BODY, headers), "IncompleteSignatureException")

    def test_bad_dates(self):
        for date in ("yesterday", "2026-11-20T00:00:00Z", "20261320T000000Z", "20260230T250000Z", "20260101T000000", "x" * 300):
            self.assertEqual(400, self.ask(self.base(**{"X-Amz-Date": date}))[0], date)

    def test_malformed_authorization_headers(self):
        key, secret = self.server.root_key
        good = sigv4.authorization(self.base(), self.BODY, key, secret)
        for bad in ("Basic dXNlcjpwYXNz", "Bearer token", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256 x",
                    good.split(", ")[0], good.replace("Signature=", "Sig="), good.replace("SignedHeaders=", "Headers="),
                    good.replace("Credential=", "Cred="), good.replace("/aws4_request", ""), good.replace("/aws4_request", "/aws5_request"),
                    good.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), good[:-10], good + "00", good[:-1] + "g",
                    good.replace("Credential=", "Credential=////"), good.replace("host", "höst"), ",,,,", "=" * 1000,
                    "AWS4-HMAC-SHA256 Credential=, SignedHeaders=, Signature=", good + ", " + good,
                    "AWS4-HMAC-SHA256 Credential=" + "a/" * 2000 + ", SignedHeaders=host, Signature=00"):
            with self.subTest(bad=bad[:80]):
                headers = self.base(Authorization=bad.encode("utf-8"))
                answer = self.post(self.BODY, headers)
                self.assertEqual(400, answer[0], answer[3][:200])
                self.assertRegex(answer[2]["__type"], CORAL + "(IncompleteSignature|InvalidSignature|UnrecognizedClient|"
                                                              "MissingAuthenticationToken)Exception")


class Bodies(RawCase):
    def call(self, operation, body):
        return self.server.call(operation, body)

    def test_bodies_that_are_no_json(self):
        deep = b"[" * 100_000
        for body in (b"{", b"}", b"[]", b"null", b"1", b'"text"', b"{]", b"{'a':1}", b'{"a"}', b'{"a":}', b'{"a":1,}', b"{a:1}",
                     b'{"a":1}{"b":2}', b'{"a":1} x', b'{"a":01}', b'{"a":+1}', b'{"a":.5}', b'{"a":1.}', b'{"a":nul}',
                     b'{"a":tru}', b'{"a":"\x00"}', b'{"a":"\\x"}', b'{"a":"\\ud800"}', b'{"a":"\\u12"}', b'{"a":"\xff\xfe"}',
                     b'{"a":"\xc0\x80"}', b"\xef\xbb\xbf", b"\x00", b"\xff" * 100, deep, b'{"a":' * 50_000, b'{"a":"unterminated',
                     b"{" + b'"k":1,' * 10 + b"}", b"<xml/>", b"QueryString=SELECT 1", b" ", b"\n\n"):
            for operation in ("WriteRecords", "Query", "CreateDatabase", "DescribeEndpoints"):
                with self.subTest(operation=operation, body=body[:30]):
                    answer = self.call(operation, body)
                    self.assertEqual(400, answer[0], answer[3][:200])
                    self.assertIn(answer[2]["__type"], (CORAL + "SerializationException",
                                                        "com.amazon.coral.validate#ValidationException"))
                    self.assertTrue(answer[2]["message"])

    def test_members_of_the_wrong_type(self):
        record = {"Time": "1", "MeasureName": "m", "MeasureValue": "1"}

        def write(**change):
            return "WriteRecords", {"DatabaseName": "db1", "TableName": "t1", "Records": [dict(record, **change)]}
        for operation, body in (
                ("WriteRecords", {"DatabaseName": 1, "TableName": "t", "Records": []}),
                ("WriteRecords", {"DatabaseName": "db1", "TableName": ["t"], "Records": [record]}),
                ("WriteRecords", {"DatabaseName": "db1", "TableName": "t1", "Records": "x"}),
                ("WriteRecords", {"DatabaseName": "db1", "TableName": "t1", "Records": {"0": record}}),
                ("WriteRecords", {"DatabaseName": "db1", "TableName": "t1", "Records": [1]}),
                ("WriteRecords", {"DatabaseName": "db1", "TableName": "t1", "Records": [[]]}),
                ("WriteRecords", {"DatabaseName": "db1", "TableName": "t1", "Records": [record], "CommonAttributes": []}),
                ("WriteRecords", {"DatabaseName": "db1", "TableName": "t1", "Records": [record], "CommonAttributes": "x"}),
                write(Time=1), write(MeasureValue=1.5), write(MeasureName=True), write(Version="1"), write(Version=[1]),
                write(Version=1e300), write(Version=True), write(Dimensions={}), write(Dimensions="x"), write(Dimensions=["x"]),
                write(Dimensions=[{"Name": 1, "Value": "x"}]), write(Dimensions=[{"Name": "n", "Value": 1}]),
                write(MeasureValues=1), write(MeasureValues=[1]), write(TimeUnit=5), write(MeasureValueType={}),
                ("Query", {"QueryString": 1}), ("Query", {"QueryString": ["SELECT 1"]}), ("Query", {"QueryString": "SELECT 1", "MaxRows": "5"}),
                ("Query", {"QueryString": "SELECT 1", "MaxRows": True}), ("Query", {"QueryString": "SELECT 1", "NextToken": 5}),
                ("Query", {"QueryString": "SELECT 1", "QueryInsights": "x"}), ("CancelQuery", {"QueryId": 5}),
                ("PrepareQuery", {"QueryString": "SELECT 1", "ValidateOnly": "true"}),
                ("CreateDatabase", {"DatabaseName": {}}), ("CreateDatabase", {"DatabaseName": "db1", "Tags": {}}),
                ("CreateDatabase", {"DatabaseName": "db1", "Tags": ["x"]}),
                ("CreateTable", {"DatabaseName": "db1", "TableName": "tt1", "RetentionProperties": 5}),
                ("CreateTable", {"DatabaseName": "db1", "TableName": "tt1", "Schema": []}),
                ("CreateTable", {"DatabaseName": "db1", "TableName": "tt1", "MagneticStoreWriteProperties": {"EnableMagneticStoreWrites": "true"}}),
                ("ListDatabases", {"MaxResults": "5"}), ("TagResource", {"ResourceARN": 1, "Tags": []}),
                ("UntagResource", {"ResourceARN": "arn:aws:timestream:us-east-1:000000000000:database/db1", "TagKeys": [5]})):
            with self.subTest(operation=operation, body=str(body)[:120]):
                self.check_error(self.call(operation, body), 400, CORAL + "SerializationException")

    def test_null_members_count_as_absent(self):
        for operation, body in (("ListDatabases", {"MaxResults": None, "NextToken": None}),
                                ("Query", {"QueryString": "SELECT 1", "MaxRows": None, "ClientToken": None, "QueryInsights": None})):
            self.assertEqual(200, self.call(operation, body)[0])
        self.check_error(self.call("Query", {"QueryString": None}), 400, "com.amazon.coral.validate#ValidationException")
        self.call("CreateDatabase", {"DatabaseName": "nulls", "KmsKeyId": None, "Tags": None})
        self.call("CreateTable", {"DatabaseName": "nulls", "TableName": "table", "RetentionProperties": None, "Schema": None})
        record = {"Time": str(int(time.time())), "TimeUnit": "SECONDS", "MeasureName": "m", "MeasureValue": "1",
                  "MeasureValueType": None, "Version": None, "Dimensions": None, "MeasureValues": None}
        answer = self.call("WriteRecords", {"DatabaseName": "nulls", "TableName": "table", "Records": [record],
                                            "CommonAttributes": None})
        self.assertEqual(200, answer[0], answer[3])

    def test_unknown_members_are_ignored(self):
        self.assertEqual(200, self.call("Query", {"QueryString": "SELECT 1", "Unknown": {"a": [1, {"b": None}]}})[0])
        self.call("CreateDatabase", {"DatabaseName": "unknowns", "New": 1})
        self.call("CreateTable", {"DatabaseName": "unknowns", "TableName": "table", "New": []})
        answer = self.call("WriteRecords", {"New": {"x": []}, "DatabaseName": "unknowns", "TableName": "table", "Records": [
            {"New": [1, 2, {"a": "b"}], "Time": str(int(time.time())), "TimeUnit": "SECONDS", "MeasureName": "m", "MeasureValue": "1",
             "Dimensions": [{"New": 1, "Name": "a", "Value": "b"}]}]})
        self.assertEqual(200, answer[0], answer[3])

    def test_numbers_in_every_form(self):
        for number in (b"5", b"5.0", b"5e0", b"50E-1"):
            self.assertEqual(200, self.call("ListDatabases", b'{"MaxResults":%s}' % number)[0], number)

    def test_escaped_and_repeated_keys(self):
        self.assertEqual(200, self.call("Query", b'{"Query\\u0053tring":"SELECT \\u0031"}')[0])
        self.assertIn(self.call("Query", b'{"QueryString":"SELECT 1","QueryString":"SELECT 2"}')[0], (200, 400))
        self.assertIn(self.call("WriteRecords", b'{"Records":[],"Records":[],"DatabaseName":"a","DatabaseName":"b"}')[0], (400, 404))

    def test_repeated_members_of_a_record_cannot_do_harm(self):
        dimensions = b'"Dimensions":[{"Name":"a","Value":"1"}],' * 50
        answer = self.call("WriteRecords", b'{"DatabaseName":"abc","TableName":"abc","Records":[{' + dimensions + b'"Time":"1"}]}')
        self.assertIn(answer[0], (400, 404))

    def test_a_body_over_the_limit_is_413(self):
        connection = self.server.connect()
        size = 17 * 1024 * 1024
        headers = self.signed("Query", b"")
        connection.putrequest("POST", "/", skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(size))
        connection.endheaders()
        try:
            for _ in range(size // 65536):
                connection.send(b" " * 65536)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            self.assertEqual(413, connection.getresponse().status)
        except ConnectionResetError:
            pass  # the answer was lost to the reset, since we kept sending
        connection.close()

    def test_a_length_over_the_limit_is_413_before_any_of_it_comes(self):
        for length in (b"17000000", b"99999999999", b"9223372036854775807"):
            answer = self.exchange(b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Timestream_20181101.Query\r\nContent-Length: " + length + b"\r\n\r\n")
            self.assertTrue(answer.startswith(b"HTTP/1.1 413 "), answer[:100])

    def test_a_chunked_body_over_the_limit(self):
        chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
        head = b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Timestream_20181101.Query\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = self.exchange(head + chunk * 18)
        self.assertIn(answer[:13], (b"HTTP/1.1 413 ", b""))

    def test_large_bodies_within_the_limit(self):
        # 100 records of 256 attributes each: what the limits of the API allow and the body's permits.
        self.call("CreateDatabase", {"DatabaseName": "large"})
        self.call("CreateTable", {"DatabaseName": "large", "TableName": "table"})
        now = int(time.time() * 1000)
        records = [{"Time": str(now - i), "MeasureName": "m", "MeasureValueType": "MULTI", "MeasureValues": [
            {"Name": f"attribute-{k}", "Value": f"value {i} {k} " + "x" * 200, "Type": "VARCHAR"} for k in range(256)]} for i in range(100)]
        body = json.dumps({"DatabaseName": "large", "TableName": "table", "Records": records}).encode()
        self.assertGreater(len(body), 6_000_000)
        answer = self.call("WriteRecords", body)
        self.assertEqual((200, 100), (answer[0], (answer[2] or {}).get("RecordsIngested", {}).get("Total")), answer[3][:300])


class Framing(RawCase):
    """HTTP that is none."""

    def test_bytes_that_are_no_http(self):
        for data in (b"\r\n\r\n", b"GET\r\n\r\n", b"GET /\r\n\r\n", b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", b"\x00" * 1000, os.urandom(2000),
                     b"GET / HTTP/1.1\nHost: x\n\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                     b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1e3\r\n\r\n",
                     b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
                     b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nab",
                     b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                     b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
                     b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                     b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
                     b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
                     b"GET / HTTP/1.1\r\nHost x\r\n\r\n", b"GET / HTTP/1.1\r\n: x\r\n\r\n", b"GET / HTTP/1.1\r\nA b: x\r\nHost: x\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n", b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 10_000 + b"\r\n", b"GET / HTTP/1.1\r\nA: " + b"x" * 200_000 + b"\r\n\r\n",
                     b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x00\x05hello", b"\x16\x03\x01\xff\xff" + b"\x00" * 100,
                     b"X" * 100_000, b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n"):
            with self.subTest(data=data[:60]):
                answer = self.exchange(data, timeout=3)
                if answer.startswith(b"HTTP/"):
                    self.assertRegex(answer.split(b"\r\n")[0], rb"^HTTP/1\.[01] [45]\d\d ")
                self.assert_healthy()

    def test_two_lengths_are_never_two_requests(self):
        # Smuggling: what follows the first body must not be answered as a second request.
        inner = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
        data = (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % (len(inner) + 5)) + inner
        self.assertNotIn(b" 200 ", self.exchange(data, timeout=3))

    def test_half_requests_do_not_hold_others_up(self):
        halves = []
        for i in range(50):
            half = socket.create_connection(("127.0.0.1", self.server.port), 10)
            half.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\npart"[:10 + i])
            halves.append(half)
        self.assertEqual(200, self.server.call("ListDatabases", {})[0])
        for half in halves:
            half.close()

    def test_connections_that_vanish_while_answered(self):
        body = json.dumps({"QueryString": "SELECT 1"}).encode()
        head = "".join(f"{n}: {v}\r\n" for n, v in self.signed("Query", body).items())
        data = f"POST / HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        for _ in range(50):
            with socket.create_connection(("127.0.0.1", self.server.port), 10) as connection:
                connection.sendall(data)
        self.assertEqual(200, self.server.call("ListDatabases", {})[0])


if __name__ == "__main__":
    unittest.main()
