import pytest
import torch

from geosrseg.networks.super_resolution.dbpn import DBPN


@pytest.mark.parametrize(
    ("factor", "parameters"), [(2, 5953526), (3, 8030198), (4, 10426358), (8, 23205878)]
)
def test_the_published_network_has_its_number_of_parameters(factor, parameters):
    network = DBPN(3, upscale_factor=factor)
    assert sum(p.numel() for p in network.parameters()) == parameters


@pytest.mark.parametrize("factor", [2, 3, 4, 8])
@pytest.mark.parametrize("stages", [2, 3, 5])
def test_any_size_is_upscaled(factor, stages):
    network = DBPN(2, upscale_factor=factor, base=2, feat=3, stages=stages)
    with torch.inference_mode():
        assert network(torch.zeros(2, 2, 5, 7)).shape == (2, 2, 5 * factor, 7 * factor)


@pytest.mark.parametrize("options", [{"upscale_factor": 5}, {"upscale_factor": 4, "stages": 1}])
def test_other_factors_and_a_single_stage_are_refused(options):
    with pytest.raises(ValueError, match="D-DBPN"):
        DBPN(3, **options)
