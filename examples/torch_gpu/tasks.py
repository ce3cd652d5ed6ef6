"""What does each step compute? PyTorch is imported in the worker, on the device it was leased."""

from __future__ import annotations

from typing import Any

from flowlib import Task
from stores import Sweep


class Spirals(Task):
    """Makes two spirals of points that no straight line divides."""

    def __init__(self, points: int = 400, noise: float = 0.05) -> None:
        self.points = points
        self.noise = noise

    def run(self) -> dict[str, Any]:
        """Return `x` of shape (2 * points, 2) and `y` in {0, 1}, both as NumPy arrays."""
        import torch

        generator = torch.Generator().manual_seed(0)
        angle = torch.linspace(0.5, 7.0, self.points)
        arm = torch.stack([angle * torch.cos(angle), angle * torch.sin(angle)], dim=1) / 7
        x = torch.cat([arm, -arm])
        x = x + self.noise * torch.randn(x.shape, generator=generator)
        y = torch.cat([torch.zeros(self.points), torch.ones(self.points)])
        return {"x": x.numpy(), "y": y.numpy()}


class TrainNet(Task):
    """Trains a network with one hidden layer on the device of its resource."""

    def __init__(self, hidden: int, learning_rate: float, steps: int = 300) -> None:
        self.hidden = hidden
        self.learning_rate = learning_rate
        self.steps = steps

    def run(self, x: Any, y: Any) -> dict[str, Any]:
        """Return `accuracy` on the training points, the `device` used and the `weights`."""
        import torch
        from torch import nn

        torch.manual_seed(self.node_seed)
        device = torch.device(self.resource or "cpu")
        points = torch.as_tensor(x, device=device)
        wanted = torch.as_tensor(y, device=device)
        net = nn.Sequential(
            nn.Linear(2, self.hidden),
            nn.Tanh(),
            nn.Linear(self.hidden, self.hidden),
            nn.Tanh(),
            nn.Linear(self.hidden, 1),
        ).to(device)
        optimizer = torch.optim.Adam(net.parameters(), lr=self.learning_rate)
        for _ in range(self.steps):
            optimizer.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(net(points).squeeze(1), wanted)
            loss.backward()
            optimizer.step()
        right = (net(points).squeeze(1) > 0) == (wanted > 0.5)
        weights = {name: value.detach().cpu().numpy() for name, value in net.state_dict().items()}
        return {
            "accuracy": right.float().mean().item(),
            "device": str(device),
            "weights": weights,
        }


class BestNet(Task):
    """Picks the network that is right most often."""

    def run(self, accuracy: list[Sweep]) -> dict[str, Any]:
        """Return its config as `best` and its `accuracy`."""
        best = max(accuracy, key=lambda sweep: sweep.value)
        return {"best": dict(best.config["TrainNet"]), "accuracy": best.value}
