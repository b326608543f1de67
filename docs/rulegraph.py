"""Draw the graph of the demo's rules: `PYTHONPATH=. .venv/bin/python docs/rulegraph.py` writes images/rulegraph.svg."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import networkx as nx

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs/images/rulegraph.svg"
WIDTH, HEIGHT, COLUMN, ROW, SWEEPS = 128, 22, 168, 34, 24
COLOURS = {
    "simulation": "#8c6bb1", "dataset": "#6b7f99", "preprocess": "#2b7bba", "quality": "#74a9cf", "glm": "#238b8b",
    "responses": "#41ab5d", "implants": "#78c679", "over_time": "#e0685e", "decoding": "#d9862b", "mapping": "#b5651d",
    "encoding": "#8a9a3c", "baselines": "#9a8c98",
    "evaluation": "#cb4b4b", "figures": "#d487b0", "faces": "#c994c7", "report": "#7a5195",
}  # fmt: skip


def rule_graph(config: Path) -> nx.DiGraph:
    """Ask Snakemake for the rules of a study, in an empty folder; edges that others imply are left out."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--configfile", str(config)]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([*command, "--rulegraph", "--directory", folder], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    names = dict(re.findall(r'(\d+)\[label = "(\w+)"', done.stdout))
    edges = [(names[start], names[end]) for start, end in re.findall(r"(\d+) -> (\d+)", done.stdout)]
    return nx.transitive_reduction(nx.DiGraph(sorted(edges)))


def stages() -> dict[str, str]:
    """The rule file of each rule."""
    return {
        rule: path.stem
        for path in sorted((ROOT / "workflow/rules").glob("*.smk"))
        for rule in re.findall(r"^(?:use )?rule (?:\w+ as )?(\w+)(?: with)?:", path.read_text(), flags=re.MULTILINE)
    }


def layers_of(graph: nx.DiGraph) -> list[list[str]]:
    """Rules by the longest way to them, each layer ordered by the mean place of its neighbours (Sugiyama)."""
    layers = [sorted(layer) for layer in nx.topological_generations(graph)]
    for sweep in range(SWEEPS):
        place = {rule: row / max(1, len(layer) - 1) for layer in layers for row, rule in enumerate(layer)}
        for layer in layers if sweep % 2 else reversed(layers):
            near = graph.predecessors if sweep % 2 else graph.successors
            means = {rule: sum(place[one] for one in near(rule)) / max(1, len(list(near(rule)))) for rule in layer}
            layer.sort(key=lambda rule, means=means: (means[rule], rule))
            place.update({rule: row / max(1, len(layer) - 1) for row, rule in enumerate(layer)})
    return layers


def draw(graph: nx.DiGraph) -> str:
    """Return an SVG in which the data flow from top to bottom, rules coloured by their stage."""
    layers, stage = layers_of(graph), stages()
    across = max(map(len, layers)) * COLUMN
    spots = {}
    for row, layer in enumerate(layers):
        start = (across - len(layer) * COLUMN) / 2 + COLUMN / 2
        for column, rule in enumerate(layer):
            spots[rule] = (start + column * COLUMN, ROW * (1.6 * row + 1))
    down = ROW * (1.6 * len(layers) + 1.4)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {across:.0f} {down:.0f}" font-family="sans-serif" '
        'font-size="11">',
        "<title>The rules of the demo, in the order in which data flow</title>",
        f'<rect width="{across:.0f}" height="{down:.0f}" fill="white"/>',
    ]
    figures = [rule for rule in graph if rule.startswith("plot_")]  # all go into the report: not drawn
    for start, end in sorted(edge for edge in graph.edges if edge[0] not in figures):
        (x, y), (u, v) = spots[start], spots[end]
        y, v = y + HEIGHT / 2, v - HEIGHT / 2
        bend = (v - y) / 2
        lines.append(
            f'<path d="M{x:.0f} {y:.0f}C{x:.0f} {y + bend:.0f} {u:.0f} {v - bend:.0f} {u:.0f} {v:.0f}" fill="none" '
            'stroke="#aaaaaa"/>'
        )
    for rule, (x, y) in sorted(spots.items()):
        colour = COLOURS.get(stage.get(rule, ""), "#555555")
        lines.append(
            f'<rect x="{x - WIDTH / 2:.0f}" y="{y - HEIGHT / 2:.0f}" width="{WIDTH}" height="{HEIGHT}" rx="5" '
            f'fill="white" stroke="{colour}" stroke-width="2"/>'
        )
        lines.append(f'<text x="{x:.0f}" y="{y + 4:.0f}" text-anchor="middle">{rule}</text>')
    shown = [name for name in COLOURS if name in {stage.get(rule) for rule in spots}]
    for number, name in enumerate(shown):
        x = 20 + number * across / len(shown)
        lines.append(f'<rect x="{x:.0f}" y="{down - 22:.0f}" width="12" height="12" fill="{COLOURS[name]}"/>')
        lines.append(f'<text x="{x + 17:.0f}" y="{down - 12:.0f}">{name}</text>')
    return "\n".join([*lines, "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(draw(rule_graph(ROOT / "config/demo.yaml")))
    print(PICTURE)
