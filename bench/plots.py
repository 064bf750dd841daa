"""Curves as PNG and SVG: from zero on, so that flat looks flat, or with a logarithmic axis where they are far apart."""

from pathlib import Path

from bench.figures import Series


def plot(series: Series, directory: Path) -> None:
    """`<name>.png` and `<name>.svg` show the series."""
    import matplotlib as mpl  # noqa: PLC0415  # only who plots needs to have it

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "inturn"  # the same curve is the same file
    from matplotlib import pyplot  # noqa: PLC0415

    figure, axes = pyplot.subplots(figsize=(6, 3.2), layout="constrained")
    for name, values in series.lines.items():
        axes.plot(range(len(values)), values, marker="o", label=name)
    axes.set_xticks(range(len(series.at)), [f"{place:,}" for place in series.at])
    axes.set_xlabel(series.x)
    axes.set_ylabel(series.y)
    if series.is_logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:,g}")
        axes.set_ylim(bottom=1)
    else:
        axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    if len(series.lines) > 1:
        axes.legend()
    for kind in ("png", "svg"):
        figure.savefig(directory / f"{series.name}.{kind}", metadata={"Date": None} if kind == "svg" else {})
    pyplot.close(figure)
