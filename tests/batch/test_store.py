"""Maps in a bucket, of a local S3 server."""

import json
from dataclasses import replace

import pytest

from geosrseg.batch.archive import MARK, open_archive, write_mark
from geosrseg.batch.index_archive import index_archive
from geosrseg.batch.run_task import DONE, FAILED, SKIPPED
from geosrseg.batch.run_work import run_work
from geosrseg.errors import OutputError
from tests.batch.conftest import maps

pyogrio = pytest.importorskip("pyogrio")
boto3 = pytest.importorskip("boto3")
moto_server = pytest.importorskip("moto.server")
pytest.importorskip("obstore")


@pytest.fixture(scope="module")
def endpoint():
    server = moto_server.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint, monkeypatch):
    keys = {"aws_access_key_id": "geheim", "aws_secret_access_key": "geheim"}
    for key, value in keys.items():
        monkeypatch.setenv(key.upper(), value)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **keys)
    client.create_bucket(Bucket="maps")
    yield client
    for item in client.list_objects_v2(Bucket="maps").get("Contents", []):
        client.delete_object(Bucket="maps", Key=item["Key"])


def names(bucket):
    return {item["Key"] for item in bucket.list_objects_v2(Bucket="maps").get("Contents", [])}


def test_maps_go_to_a_bucket_with_the_same_bytes(tmp_path, plan, bucket):
    run_work(plan("one")[:2])
    tasks = plan("s3://maps/kafa/2021")[:2]
    assert [result.state for result in run_work(tasks)] == [DONE, DONE]
    for name, expected in maps(tmp_path / "one").items():
        found = bucket.get_object(Bucket="maps", Key=f"kafa/2021/{name}")["Body"].read()
        assert found == expected
    item = json.loads(bucket.get_object(Bucket="maps", Key="kafa/2021/s0.json")["Body"].read())
    assert item["properties"][MARK] == tasks[0].id
    assert "kafa/2021/s0.qml" in names(bucket)
    assert [result.state for result in run_work(tasks)] == [SKIPPED, SKIPPED]


def test_a_bucket_is_indexed_from_its_items_alone(tmp_path, plan, bucket):
    run_work(plan("s3://maps/kafa/2021")[:3])
    found = index_archive("s3://maps/kafa/2021/")
    assert (found.folder, found.maps, found.left_out) == ("s3://maps/kafa/2021", 3, ())
    there = {name for name in names(bucket) if "/index" in name or "collection" in name}
    assert {f"kafa/2021/{name}" for name in found.files} <= there
    bucket.delete_object(Bucket="maps", Key="kafa/2021/s1.json")  # the one map of its CRS
    assert index_archive("s3://maps/kafa/2021").maps == 2
    assert "kafa/2021/index-EPSG-32637.vrt" not in names(bucket)
    index = bucket.get_object(Bucket="maps", Key="kafa/2021/index.gti.gpkg")["Body"].read()
    (tmp_path / "index.gti.gpkg").write_bytes(index)
    fields = pyogrio.raw.read(tmp_path / "index.gti.gpkg")[3]
    assert sorted(fields[0]) == ["s0.tif", "s2.tif"]


def test_the_item_comes_last_so_a_map_without_it_is_not_done(plan, bucket):
    (task, *_) = plan("s3://maps/x")
    run_work([task])
    bucket.delete_object(Bucket="maps", Key="x/s0.json")
    assert run_work([task])[0].state == DONE


def test_of_twins_the_second_finds_the_work_done(tmp_path, plan, bucket):
    task = plan("s3://maps/y")[0]
    run_work([task])
    (tmp_path / "item.json").write_text(json.dumps({"properties": {}}))
    write_mark(tmp_path / "item.json", task)
    open_archive(task.output).publish([], tmp_path / "item.json", task, replace=False)
    other = replace(task, precision="bf16")
    write_mark(tmp_path / "item.json", other)
    with pytest.raises(OutputError, match="another map was published there meanwhile"):
        open_archive(task.output).publish([], tmp_path / "item.json", other, replace=False)


def test_a_bucket_that_is_not_there_is_one_line(plan, bucket, monkeypatch):
    from geosrseg.batch import run_task

    monkeypatch.setattr(run_task, "PAUSE", 0)
    task = replace(plan("s3://maps/z")[0], output="s3://nowhere/z/s0.tif")
    (result,) = run_work([task])
    assert result.state == FAILED
    assert "s3://nowhere/z/s0" in result.error
    assert "geheim" not in result.error
