"""The one-step network as it is trained: position guides shifted for each crop."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_gen2seg.models.networks.one_step import OneStepNet


class ShiftedGuidesNet(OneStepNet):
    """A network that sees each crop of a batch at its own place on the guides.

    ``origin`` (B, 2), row and column in pixels, is set before each pass. Without it
    the network would learn the few positions of one crop size by heart.
    """

    origin: Tensor | None = None

    def guide(self, latent: Tensor) -> Tensor:
        """Append guides shifted by `origin`."""
        if self.guides is None or self.origin is None:
            return super().guide(latent)
        height, width = latent.shape[-2:]
        device = latent.device
        rows = (torch.arange(height, device=device) + 0.5) * self.factor
        columns = (torch.arange(width, device=device) + 0.5) * self.factor
        y = rows[None, :, None] + self.origin[:, 0, None, None]
        x = columns[None, None, :] + self.origin[:, 1, None, None]
        count = self.guides.directions
        angles = torch.arange(count, device=device) * (torch.pi / count)
        along = x[:, None] * angles.cos().view(1, -1, 1, 1) + y[
            :, None
        ] * angles.sin().view(1, -1, 1, 1)
        waves = torch.tensor(self.guides.wavelengths, device=device)
        phase = 2 * torch.pi * along[:, None] / waves.view(1, -1, 1, 1, 1)
        guides = torch.stack([phase.sin(), phase.cos()], 3).flatten(1, 3)
        return torch.cat([latent, guides.to(latent.dtype)], 1)
