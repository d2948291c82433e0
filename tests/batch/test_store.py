"""Maps in a bucket, of a local S3 server."""

import json
from dataclasses import replace

import pytest

from geosrseg.batch.archive import MARK
from geosrseg.batch.index_archive import index_archive
from geosrseg.batch.open_archive import open_archive
from geosrseg.batch.run_task import DONE, FAILED, SKIPPED, run_task
from geosrseg.batch.run_work import run_work
from geosrseg.batch.store_archive import StoreArchive
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


def test_the_item_comes_last_so_a_map_without_it_is_not_done(plan, bucket, monkeypatch):
    (task, *_) = plan("s3://maps/x")
    killed_at(bucket, monkeypatch, "x/s0.json", task)
    assert names(bucket) >= {"x/s0.tif", "x/.s0.item.json"}
    assert run_task(plan("s3://maps/x", confidence=True)[0], pause=no_wait).state == FAILED
    assert run_task(task).state == DONE
    assert names(bucket) & {"x/s0.json", "x/.s0.item.json"} == {"x/s0.json"}


def no_wait(_):
    """Stands for a pause."""


def killed_at(bucket, monkeypatch, key, task, **options):
    """Run a task in a process that is killed when it would upload a file."""

    class Killed(BaseException):
        pass

    put = StoreArchive._put

    def die(self, address, *words, **options):
        if address.endswith(key):
            raise Killed
        put(self, address, *words, **options)

    with monkeypatch.context() as patch:
        patch.setattr(StoreArchive, "_put", die)
        with pytest.raises(Killed):
            run_task(task, **options)


def read(bucket, key):
    return bucket.get_object(Bucket="maps", Key=key)["Body"].read()


def test_a_map_of_another_plan_is_replaced_only_when_asked(plan, bucket):
    task = plan("s3://maps/o")[0]
    run_task(task)
    before = read(bucket, "o/s0.tif")
    other = plan("s3://maps/o", window_size=16)[0]
    failed = run_task(other, pause=no_wait)
    assert (failed.state, "and not by this task" in failed.error) == (FAILED, True)
    assert read(bucket, "o/s0.tif") == before
    assert run_task(task).state == SKIPPED
    assert run_task(other, overwrite=True).state == DONE
    assert run_task(task, pause=no_wait).state == FAILED


def test_a_map_of_nobody_is_replaced_only_when_asked(plan, bucket):
    bucket.put_object(Bucket="maps", Key="n/s0.tif", Body=b"mine")
    task = plan("s3://maps/n")[0]
    assert run_task(task, pause=no_wait).state == FAILED
    assert read(bucket, "n/s0.tif") == b"mine"
    assert run_task(task, overwrite=True).state == DONE


def test_a_map_that_was_being_replaced_no_longer_counts_as_that_of_its_plan(
    plan, bucket, monkeypatch
):
    task = plan("s3://maps/r")[0]
    run_task(task)
    other = plan("s3://maps/r", confidence=True)[0]
    killed_at(bucket, monkeypatch, "r/s0.json", other, overwrite=True)
    assert run_task(task, pause=no_wait).state == FAILED
    assert run_task(other).state == DONE


def test_of_two_plans_at_work_at_once_the_second_leaves_the_map_of_the_first(plan, bucket):
    tasks = [plan("s3://maps/w", window_size=size)[0] for size in (16, 32)]
    first = []

    def progress(_):
        if not first:
            first.append(run_task(tasks[0]).state)
            first.append(read(bucket, "w/s0.tif"))

    assert run_task(tasks[1], on_progress=progress, pause=no_wait).state == FAILED
    assert first == [DONE, read(bucket, "w/s0.tif")]
    assert "w/.s0.item.json" not in names(bucket)


def test_a_draft_of_the_item_that_was_left_is_removed(plan, bucket):
    task = plan("s3://maps/d")[0]
    run_task(task)
    bucket.put_object(Bucket="maps", Key="d/.s0.item.json", Body=read(bucket, "d/s0.json"))
    assert index_archive("s3://maps/d").maps == 1
    assert run_task(task).state == SKIPPED
    assert "d/.s0.item.json" not in names(bucket)


def test_of_twins_the_second_finds_the_work_done(tmp_path, plan, bucket):
    task = plan("s3://maps/y")[0]
    run_work([task])

    def publish(task):
        item = tmp_path / "item.json"
        with open_archive(task.output).publishing(item, task, replace=False):
            item.write_text(json.dumps({"properties": {}}))

    publish(task)
    with pytest.raises(OutputError, match="another map was published there meanwhile"):
        publish(replace(task, precision="bf16"))


def test_a_bucket_that_is_not_there_is_one_line(plan, bucket, monkeypatch):
    from geosrseg.batch import run_task

    monkeypatch.setattr(run_task, "PAUSE", 0)
    task = replace(plan("s3://maps/z")[0], output="s3://nowhere/z/s0.tif")
    (result,) = run_work([task])
    assert result.state == FAILED
    assert "s3://nowhere/z/" in result.error
    assert "geheim" not in result.error
