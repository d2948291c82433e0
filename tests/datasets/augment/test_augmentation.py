import numpy as np
import torch

from geosrseg.datasets.augment.augmentation import cut_out, jitter, turn


def test_the_eight_poses_are_all_different_and_pose_0_is_none():
    chip = torch.arange(16).reshape(4, 4)
    poses = {tuple(turn(chip, pose=pose).flatten().tolist()) for pose in range(8)}
    assert len(poses) == 8
    assert torch.equal(turn(chip, pose=0), chip)


def test_image_and_target_turn_alike():
    target = torch.arange(36).reshape(6, 6)
    image = target.expand(3, 6, 6)
    for pose in range(8):
        assert torch.equal(turn(image, pose=pose)[1], turn(target, pose=pose))


def test_jitter_stays_reflectance_and_changes_every_band_by_a_line():
    chip = torch.linspace(0.2, 0.6, 50).expand(2, 5, 50)
    (changed,) = jitter(chip, strength=0.05, generator=np.random.default_rng(0))
    assert not torch.allclose(changed, chip, atol=1e-3)
    steps = changed.diff(dim=-1)
    assert torch.allclose(steps, steps[..., :1].expand_as(steps), atol=1e-6)
    (extreme,) = jitter(chip, strength=5, generator=np.random.default_rng(0))
    assert extreme.min() >= 0
    assert extreme.max() <= 1


def test_images_of_one_ground_are_lit_alike():
    lr, hr = torch.full((2, 4, 4), 0.3), torch.full((2, 16, 16), 0.3)
    lit = jitter(lr, hr, strength=0.05, generator=np.random.default_rng(0))
    assert torch.equal(lit[0][:, 0, 0], lit[1][:, 0, 0])
    assert not torch.allclose(lit[0], lr)


def test_cut_out_hides_squares_behind_the_mean_and_leaves_the_chip_alone():
    chip = torch.rand(2, 48, 48)
    before = chip.clone()
    hidden = cut_out(chip, share=1, generator=np.random.default_rng(0))
    changed = (hidden != chip).any(0)
    assert torch.equal(chip, before)
    assert 16 <= changed.sum() <= 2 * 16**2
    mean = chip.mean((1, 2))[:, None].expand(2, int(changed.sum()))
    assert torch.allclose(hidden[:, changed], mean)
    assert torch.equal(cut_out(chip, share=0, generator=np.random.default_rng(0)), chip)
