"""Draw the features that predict a subject's channels, by region (rule plot_encoding)."""

from _rule import run  # isort: skip

from hyper.report.encoding import draw_encoding, read_channels, read_shares
from hyper.report.style import save_figure


def main(job):
    figure = draw_encoding(read_shares(job.input.shares), read_channels(job.input.channels), job.params.features)
    save_figure(figure, job.output.png, job.output.svg, job.params.dpi)


if __name__ == "__main__":
    run(main)
