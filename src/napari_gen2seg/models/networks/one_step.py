"""One-step latent diffusion: the network maths of the ``sd`` family.

`OneStepNet` is what both colouring and training run. It works on tensors; pictures,
padding and stretching are the business of `napari_gen2seg.models.networks.tensors`.

Source: Khangaonkar & Pirsiavash, "gen2seg", ICLR 2026, and the published weights'
behaviour (no noise, last timestep, v-prediction).
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from napari_gen2seg.models.networks.position_guides import Guides, guide_channels

LAST_TIMESTEP = 999


class OneStepNet(nn.Module):
    """Autoencoder and UNet joined into one pass from image to colors.

    Parameters
    ----------
    unet
        ``UNet2DConditionModel`` whose input channels are the latent channels plus
        those of the guides.
    vae
        ``AutoencoderKL``.
    prompt
        Embedding of the empty prompt, shape (1, tokens, dim).
    alphas_bar
        Cumulative products of the noise schedule, shape (timesteps,).
    guides
        Position guides, or None as in the published models.
    """

    alphas_bar: Tensor
    prompt: Tensor

    def __init__(
        self,
        unet: nn.Module,
        vae: nn.Module,
        prompt: Tensor,
        alphas_bar: Tensor,
        guides: Guides | None = None,
    ) -> None:
        super().__init__()
        self.unet = unet
        self.vae = vae
        self.guides = guides
        self.register_buffer("prompt", prompt, persistent=False)
        # A plain attribute: float32 whatever type the module is cast to.
        self.alphas_bar = alphas_bar.detach().float().cpu()
        self._guide_cache: dict[tuple[object, ...], Tensor] = {}

    @property
    def _vae_config(self) -> Any:
        return cast("Any", self.vae).config

    @property
    def factor(self) -> int:
        """Pixels per latent pixel (8 for Stable Diffusion)."""
        return int(2 ** (len(self._vae_config.block_out_channels) - 1))

    @property
    def scaling(self) -> float:
        """The autoencoder's latent scaling factor."""
        return float(self._vae_config.scaling_factor)

    def color_parameters(self) -> list[nn.Parameter]:
        """Return what a prediction of colors depends on.

        All but ``quant_conv``, whose spread the mode of the posterior does not use.
        """
        return [
            p for n, p in self.named_parameters() if "quant_conv" not in n.split(".")
        ]

    def encode(self, pixels: Tensor) -> Tensor:
        """Encode images.

        Parameters
        ----------
        pixels
            (B, 3, h, w), range -1..1, sides multiples of `factor`.

        Returns
        -------
        Tensor (B, c, h / factor, w / factor)
            Mode of the posterior times the scaling factor.
        """
        vae = cast("Any", self.vae)
        latent: Tensor = vae.encode(pixels).latent_dist.mode() * self.scaling
        return latent

    def guide(self, latent: Tensor) -> Tensor:
        """Append the guide channels to a latent (no change without guides)."""
        if self.guides is None:
            return latent
        h, w = latent.shape[-2:]
        key = (h, w, latent.device, latent.dtype)
        waves = self._guide_cache.get(key)
        if waves is None:
            table = guide_channels(
                self.guides, h * self.factor, w * self.factor, self.factor
            )
            waves = torch.from_numpy(table)[None].to(latent.device, latent.dtype)
            # A handful of sizes at most: pictures of one session share a size.
            if len(self._guide_cache) >= 8:
                self._guide_cache.clear()
            self._guide_cache[key] = waves
        return torch.cat([latent, waves.expand(latent.shape[0], -1, -1, -1)], dim=1)

    def velocity(
        self, latent: Tensor, timestep: int | Tensor = LAST_TIMESTEP
    ) -> Tensor:
        """Run the UNet with the empty prompt and the guides.

        Parameters
        ----------
        latent
            (B, c, h, w), without guides.
        timestep
            One number, or one per picture (B,).
        """
        unet = cast("Any", self.unet)
        context = self.prompt.expand(latent.shape[0], -1, -1)
        result: Tensor = unet(
            self.guide(latent), timestep, encoder_hidden_states=context
        ).sample
        return result

    def denoise(self, latent: Tensor, *, latent_term: bool = True) -> Tensor:
        """Step from the image's latent to the latent of its colors.

        ``x0 = sqrt(abar) z - sqrt(1 - abar) v`` at the last timestep.

        Parameters
        ----------
        latent
            Latent z of the picture, (B, c, h, w).
        latent_term
            False leaves the term with z out, as the published training did.
        """
        abar = float(self.alphas_bar[LAST_TIMESTEP])
        colors = -((1 - abar) ** 0.5) * self.velocity(latent)
        if latent_term:
            colors = colors + abar**0.5 * latent
        return colors

    def decode(self, latent: Tensor) -> Tensor:
        """Decode latents (B, c, h, w) to images (B, 3, h factor, w factor)."""
        vae = cast("Any", self.vae)
        pixels: Tensor = vae.decode(latent / self.scaling).sample
        return pixels

    def forward(self, pixels: Tensor, *, latent_term: bool = True) -> Tensor:
        """Predict colors.

        Parameters
        ----------
        pixels
            (B, 3, h, w), range -1..1, sides multiples of `factor`.
        latent_term
            See `denoise`.

        Returns
        -------
        Tensor (B, 3, h, w)
            Colours on the decoder's scale, about -1..1, neither clipped nor
            stretched.
        """
        return self.decode(self.denoise(self.encode(pixels), latent_term=latent_term))
