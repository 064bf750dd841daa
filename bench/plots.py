"""Draw a series as PNG and SVG. The y axis begins at zero unless it is logarithmic."""

from pathlib import Path

from bench.figures import Series


def plot(series: Series, directory: Path) -> None:
    """Write `<name>.png` and `<name>.svg`."""
    import matplotlib as mpl  # noqa: PLC0415  # installed for `make bench` only

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "inturn"  # makes equal curves give equal files
    from matplotlib import pyplot  # noqa: PLC0415  # reads the backend when it is imported

    figure, axes = pyplot.subplots(figsize=(6, 3.2), layout="constrained")
    for name, values in series.curves.items():
        axes.plot(range(len(values)), values, marker="o", label=name)
    axes.set_xticks(range(len(series.x_values)), [f"{value:,}" for value in series.x_values])
    axes.set_xlabel(series.x_label)
    axes.set_ylabel(series.y_label)
    if series.is_logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:,g}")
        axes.set_ylim(bottom=1)
    else:
        axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    if len(series.curves) > 1:
        axes.legend()
    for kind in ("png", "svg"):
        figure.savefig(directory / f"{series.name}.{kind}", metadata={"Date": None} if kind == "svg" else {})
    pyplot.close(figure)
