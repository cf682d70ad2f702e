#!/usr/bin/env python3
"""PyTorch on the rows of a suite, timed like GpuBench: by events, on copies of the tensors that pass the L2 cache. One file,
however long, because it is copied to where Python is.

torch_bench.py [-device cuda|cpu] [-laps 3] [-samples 5] [-ms 20] @SUITE | BENCH name=value,... [BENCH ...]

In f32 without TF32, but for rows that ask for it. -device cpu shows that the script runs; its numbers mean nothing.
"""

import itertools
import math
import re
import statistics
import sys
import time

import torch
import torch.nn.functional as F


def rows(line):
    """All combinations of a line's values; impl is ours to choose."""
    words = line.split()
    names, values = [], []
    for word in words[1:]:
        name, _, text = word.partition("=")
        if name not in ("impl", "threads"):
            names.append(name)
            values.append(text.split(","))
    return [(words[0], dict(zip(names, choice))) for choice in itertools.product(*values)]


def parse(arguments):
    options = {"device": "cuda", "laps": 3, "samples": 5, "ms": 20.0, "backend": ""}
    lines, line = [], ""
    words = iter(arguments)
    for word in words:
        if word.startswith("-"):
            name = word[1:]
            options[name] = type(options[name])(next(words))
        elif word.startswith("@"):
            with open(word[1:]) as suite:
                lines += [text.split("#")[0] for text in suite]
        elif "=" in word:
            line += " " + word
        else:
            lines.append(line)
            line = word
    return options, [row for text in lines + [line] if text.strip() for row in rows(text)]


def extents(text):
    return [int(part) for part in text.split("x")]


class Problem:
    """What a row needs: make() gives fresh tensors and a call on them; flops or bytes count its work."""

    def __init__(self, make, flops=0, bytes=0):
        self.make, self.flops, self.bytes = make, flops, bytes


def random(device, *shape, dtype=torch.float32):
    return (torch.rand(*shape, device=device) * 2 - 1).to(dtype)


TYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f64": torch.float64, "i32": torch.int32}


def stored(p):
    """The type of a row's large tensors, and the bytes of an element."""
    dtype = TYPES[p.get("type", "f32")]
    return dtype, dtype.itemsize


def matmul(device, p):
    m, n, k = extents(p["shape"])
    layout = p.get("layout", "nn")

    def make():
        a = random(device, k, m).t() if layout[0] == "t" else random(device, m, k)
        b = random(device, n, k).t() if layout[1] == "t" else random(device, k, n)
        c = torch.empty(m, n, device=device)
        return [a, b, c], lambda: torch.mm(a, b, out=c)

    return Problem(make, flops=2 * m * n * k)


def low_precision_matmul(device, p):
    m, n, k = extents(p["shape"])
    layout, narrow = p.get("layout", "nn"), p["type"] == "bf16"
    dtype = torch.bfloat16 if narrow else torch.float32

    def multiply(a, b, c):
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.mm(a, b, out=c)
        torch.backends.cuda.matmul.allow_tf32 = False

    def make():
        a = random(device, k, m).to(dtype).t() if layout[0] == "t" else random(device, m, k).to(dtype)
        b = random(device, n, k).to(dtype).t() if layout[1] == "t" else random(device, k, n).to(dtype)
        c = torch.empty(m, n, device=device, dtype=dtype)
        return [a, b, c], lambda: torch.mm(a, b, out=c) if narrow else multiply(a, b, c)

    return Problem(make, flops=2 * m * n * k)


def conv2d(device, p):
    found = re.fullmatch(r"n(\d+)h(\d+)w(\d+)c(\d+)k(\d+)r(\d+)s(\d+)u(\d+)p(\d+)(?:d(\d+))?(?:g(\d+))?", p["conv"])
    n, h, w, c, k, r, s, u, pad, d, g = [int(v or 1) for v in found.groups()]
    out = [(extent + 2 * pad - d * (taps - 1) - 1) // u + 1 for extent, taps in ((h, r), (w, s))]
    direction, number = p.get("pass", "forward"), p.get("type", "f32")
    dtype = torch.bfloat16 if number == "bf16" else torch.float32

    def rounding(call):
        def allowed():
            torch.backends.cudnn.allow_tf32 = True
            call()
            torch.backends.cudnn.allow_tf32 = False

        return allowed if number == "tf32" else call

    def make():
        x = random(device, n, c, h, w).to(dtype=dtype, memory_format=torch.channels_last)
        f = random(device, k, c // g, r, s).to(dtype=dtype, memory_format=torch.channels_last)
        dy = random(device, n, k, *out).to(dtype=dtype, memory_format=torch.channels_last)
        backward = torch.ops.aten.convolution_backward
        mask = [direction == "backward-data", direction == "backward-weights", False]
        if direction == "forward":
            return [x, f, dy], rounding(lambda: F.conv2d(x, f, None, u, pad, d, g))
        return [x, f, dy], rounding(
            lambda: backward(dy, x, f, None, [u, u], [pad, pad], [d, d], False, [0, 0], g, mask))

    return Problem(make, flops=2 * n * k * out[0] * out[1] * r * s * (c // g))


def dropout(device, p):
    size = int(p["size"])
    dtype, width = stored(p)

    def make():
        x = random(device, size, dtype=dtype)
        return [x, x], lambda: F.dropout(x, 0.5, True)

    return Problem(make, bytes=2 * width * size)


def elementwise(device, p):
    size, name = int(p["size"]), p["op"]
    dtype, width = stored(p)
    back = name.endswith("-backward")
    three = back or name in ("add", "multiply")
    aten = torch.ops.aten

    def make():
        a, b = (random(device, size // 256, 256, dtype=dtype) for _ in range(2))
        y, bias = torch.empty_like(a), random(device, 256, dtype=dtype)
        calls = {
            "add": lambda: torch.add(a, b, out=y),
            "multiply": lambda: torch.mul(a, b, out=y),
            "scale": lambda: torch.mul(a, 0.75, out=y),
            "bias": lambda: torch.add(a, bias, out=y),
            "relu": lambda: torch.clamp_min(a, 0, out=y),
            "gelu": lambda: F.gelu(a, approximate="tanh"),
            "sigmoid": lambda: torch.sigmoid(a, out=y),
            "tanh": lambda: torch.tanh(a, out=y),
            "relu-backward": lambda: aten.threshold_backward(b, a, 0),
            "gelu-backward": lambda: aten.gelu_backward(b, a, approximate="tanh"),
            "sigmoid-backward": lambda: aten.sigmoid_backward(b, a),
            "tanh-backward": lambda: aten.tanh_backward(b, a),
        }
        return [a, b, y], calls[name]

    return Problem(make, bytes=(3 if three else 2) * width * size)


def softmax(device, p):
    rows_, classes = extents(p["size"])
    name = p.get("op", "softmax")
    dtype, width = stored(p)
    aten = torch.ops.aten

    def make():
        x, dy = (random(device, rows_, classes, dtype=dtype) for _ in range(2))
        labels = torch.arange(rows_, device=device) % classes
        y = torch.softmax(x, 1)
        one = torch.ones((), device=device, dtype=dtype)

        def loss():
            logs = torch.log_softmax(x, 1)
            _, weight = aten.nll_loss_forward(logs, labels, None, 1, -100)
            gradient = aten.nll_loss_backward(one, logs, labels, None, 1, -100, weight)
            return aten._log_softmax_backward_data(gradient, logs, 1, dtype)

        calls = {
            "softmax": lambda: torch.softmax(x, 1),
            "backward": lambda: aten._softmax_backward_data(dy, y, 1, dtype),
            "cross-entropy": loss,
        }
        return [x, dy, y], calls[name]

    # the loss as GpuBench counts it, with probabilities in f32 between its halves
    size = {"softmax": 2 * width, "backward": 3 * width}.get(name, 2 * width + 8)
    return Problem(make, bytes=size * rows_ * classes)


def layer_norm(device, p):
    rows_, width = extents(p["size"])
    dtype, bytes_ = stored(p)
    forward = p.get("pass", "forward") == "forward"

    def make():
        x, dy = (random(device, rows_, width, dtype=dtype) for _ in range(2))
        gamma, beta = (random(device, width, dtype=dtype) for _ in range(2))
        _, mean, inverse = torch.native_layer_norm(x, [width], gamma, beta, 1e-5)
        if forward:
            return [x, dy], lambda: F.layer_norm(x, [width], gamma, beta, 1e-5)
        backward = torch.ops.aten.native_layer_norm_backward
        return [x, dy], lambda: backward(dy, x, [width], mean, inverse, gamma, beta, [True, True, True])

    return Problem(make, bytes=(2 if forward else 3) * bytes_ * rows_ * width)


def batch_norm(device, p):
    n, h, w, c = extents(p["size"])
    dtype, width = stored(p)
    forward = p.get("pass", "forward") == "forward"

    def make():
        x = random(device, n, c, h, w, dtype=dtype).to(memory_format=torch.channels_last)
        dy = random(device, n, c, h, w, dtype=dtype).to(memory_format=torch.channels_last)
        gamma, beta = random(device, c), random(device, c)
        running = torch.zeros(c, device=device), torch.ones(c, device=device)
        _, mean, inverse = torch.native_batch_norm(x, gamma, beta, *running, True, 0.1, 1e-5)
        if forward:
            return [x, dy], lambda: F.batch_norm(x, *running, gamma, beta, True, 0.1, 1e-5)
        backward = torch.ops.aten.native_batch_norm_backward
        return [x, dy], lambda: backward(
            dy, x, gamma, *running, mean, inverse, True, 1e-5, [True, True, True])

    return Problem(make, bytes=(3 if forward else 5) * width * n * h * w * c)


def pool(device, p):
    n, h, w, c, window, stride, pad = extents(p["size"])
    name = p["op"]
    dtype, size = stored(p)
    aten = torch.ops.aten
    out = [(extent + 2 * pad - window) // stride + 1 for extent in (h, w)]

    def make():
        x = random(device, n, c, h, w, dtype=dtype).to(memory_format=torch.channels_last)
        dy = random(device, n, c, *out, dtype=dtype).to(memory_format=torch.channels_last)
        two, step, edge = [window, window], [stride, stride], [pad, pad]
        _, indices = F.max_pool2d(x, two, step, edge, return_indices=True)
        calls = {
            "max": lambda: F.max_pool2d(x, two, step, edge),
            "max-backward": lambda: aten.max_pool2d_with_indices_backward(
                dy, x, two, step, edge, [1, 1], False, indices),
            "average": lambda: F.avg_pool2d(x, two, step, edge, count_include_pad=False),
            "average-backward": lambda: aten.avg_pool2d_backward(dy, x, two, step, edge, False, False, None),
        }
        return [x, dy], calls[name]

    image, pooled = n * h * w * c, n * out[0] * out[1] * c
    return Problem(make, bytes=size * ((2 if name == "max-backward" else 1) * image + pooled))


def reduce(device, p):
    outer, reduced, inner = extents(p["size"])
    dtype, width = stored(p)

    def make():
        x = random(device, outer, reduced, inner, dtype=dtype)
        y = torch.empty(outer, inner, device=device, dtype=dtype)
        calls = {
            "sum": lambda: torch.sum(x, 1, out=y),
            "mean": lambda: torch.mean(x, 1, out=y),
            "max": lambda: torch.amax(x, 1, out=y),
        }
        return [x, y], calls[p["op"]]

    return Problem(make, bytes=width * outer * inner * (reduced + 1))


def broadcast(device, p):
    outer, repeated, inner = extents(p["size"])
    dtype, width = stored(p)

    def make():
        x = random(device, outer, 1, inner, dtype=dtype)
        y = torch.empty(outer, repeated, inner, device=device, dtype=dtype)
        view = x.expand_as(y)
        return [x, y], lambda: torch.mul(view, 1 / repeated, out=y)

    return Problem(make, bytes=width * outer * inner * (repeated + 1))


def cast(device, p):
    size = int(p["size"])
    source, target = (TYPES[name] for name in p["types"].split("-"))

    def make():
        x = (random(device, size) * (1 if source.is_floating_point and target.is_floating_point else 1000)).to(source)
        y = torch.empty(size, device=device, dtype=target)
        return [x, y], lambda: y.copy_(x)

    return Problem(make, bytes=(source.itemsize + target.itemsize) * size)


def transpose(device, p):
    shape = extents(p["size"])
    axes = [int(axis) for axis in p.get("axes", "10")]
    dtype, width = stored(p)

    def make():
        x = random(device, *shape, dtype=dtype)
        view = x.permute(axes)
        y = torch.empty(*view.shape, device=device, dtype=dtype)
        return [x, y], lambda: y.copy_(view)

    return Problem(make, bytes=2 * width * math.prod(shape))


def embedding(device, p):
    count, rows_, columns = extents(p["size"])
    dtype, width = stored(p)
    forward = p.get("pass", "forward") == "forward"

    def make():
        table = random(device, rows_, columns, dtype=dtype)
        indices = torch.randint(rows_, (count,), device=device)
        y = random(device, count, columns, dtype=dtype)
        if forward:
            return [table, y], lambda: torch.index_select(table, 0, indices, out=y)
        return [table, y], lambda: torch.ops.aten.embedding_dense_backward(y, indices, rows_, -1, False)

    row = width * columns
    return Problem(make, bytes=4 * count + row * (2 * count if forward else rows_ + count))


def optimizer(device, p):
    size = int(p["size"])
    adam = p["op"] == "adamw"
    if p.get("type", "f32") != "f32":
        raise NotImplementedError("a gradient of another type than the parameter")

    def make():
        weights = torch.nn.Parameter(random(device, size))
        weights.grad = random(device, size)
        kind = torch.optim.AdamW if adam else torch.optim.SGD
        more = {"weight_decay": 1e-2} if adam else {"momentum": 0.9}
        chosen = kind([weights], lr=1e-3, fused=True, **more)
        chosen.step()
        moments = [v for state in chosen.state.values() for v in state.values() if torch.is_tensor(v) and v.numel() == size]
        return [weights, weights.grad, *moments], chosen.step

    return Problem(make, bytes=(28 if adam else 20) * size)


def train_step(device, p):
    batch = int(p["batch"])
    model = p["model"]
    if model not in ("mlp", "lenet"):
        raise NotImplementedError("model " + model)
    if model == "mlp":
        layers = [torch.nn.Flatten(), torch.nn.Linear(784, 256), torch.nn.ReLU(), torch.nn.Linear(256, 128),
                  torch.nn.ReLU(), torch.nn.Linear(128, 10)]
    else:
        layers = [torch.nn.Conv2d(1, 6, 5, padding=2), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
                  torch.nn.Conv2d(6, 16, 5), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten(),
                  torch.nn.Linear(400, 120), torch.nn.ReLU(), torch.nn.Linear(120, 84), torch.nn.ReLU(),
                  torch.nn.Linear(84, 10)]

    def make():
        network = torch.nn.Sequential(*layers).to(device).to(memory_format=torch.channels_last)
        chosen = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9, nesterov=True, fused=True)
        x = random(device, batch, 1, 28, 28).to(memory_format=torch.channels_last)
        labels = torch.arange(batch, device=device) % 10

        def step():
            chosen.zero_grad(set_to_none=True)
            loss = F.cross_entropy(network(x), labels)
            loss.backward()
            chosen.step()
            return loss.item()

        # the whole step lives on few tensors, which are warm in any training
        return [torch.empty(1 << 28, device="meta")], step

    return Problem(make)


PROBLEMS = {
    "MatmulBench": matmul,
    "LowPrecisionMatmulBench": low_precision_matmul,
    "Conv2dBench": conv2d,
    "LowPrecisionConv2dBench": conv2d,
    "DropoutBench": dropout,
    "ElementwiseBench": elementwise,
    "SoftmaxBench": softmax,
    "LayerNormBench": layer_norm,
    "BatchNormBench": batch_norm,
    "PoolBench": pool,
    "ReduceBench": reduce,
    "BroadcastBench": broadcast,
    "CastBench": cast,
    "TransposeBench": transpose,
    "EmbeddingBench": embedding,
    "OptimizerBench": optimizer,
    "TrainStepBench": train_step,
}


def seconds(device, call):
    """Of the device from the first to the last thing that the call queues."""
    if device == "cpu":
        start = time.perf_counter()
        call()
        return time.perf_counter() - start
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    call()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) * 1e-3


def measure(device, problem, options):
    tensors, call = problem.make()
    size = sum(t.numel() * t.element_size() for t in tensors)
    cache, memory = 1, 1 << 30
    if device == "cuda":
        properties = torch.cuda.get_device_properties(0)
        cache, memory = properties.L2_cache_size, properties.total_memory
    turns = max(1, min(math.ceil(2 * cache / size) + 1, int(memory * 0.25 / size), 64))
    calls = [call] + [problem.make()[1] for _ in range(turns - 1)]

    def repeat(count):
        for i in range(count):
            calls[i % turns]()

    seconds(device, lambda: repeat(turns))
    times = []
    for _ in range(options["laps"]):
        once = max(1e-7, seconds(device, lambda: repeat(turns)) / turns)
        count = min(100000, max(turns, math.ceil(options["ms"] * 1e-3 / once)))
        seconds(device, lambda: repeat(count))
        times += [seconds(device, lambda: repeat(count)) / count for _ in range(options["samples"])]
    return sorted(times)


def main():
    options, suite = parse(sys.argv[1:])
    device = "cpu" if options["backend"] == "cuda-sim" else options["device"]
    if device == "cuda" and not torch.cuda.is_available():
        print("torch sees no CUDA device; -device cpu shows that the script runs", file=sys.stderr)
        return 1
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    print(f"# torch {torch.__version__} on {torch.cuda.get_device_name(0) if device == 'cuda' else 'cpu: numbers mean nothing'}")
    with torch.no_grad():
        for name, parameters in suite:
            text = name + "".join(f" {key}={value}" for key, value in parameters.items())
            try:
                if name not in PROBLEMS:
                    raise NotImplementedError(name)
                problem = PROBLEMS[name](device, parameters)
                with torch.enable_grad() if name == "TrainStepBench" else torch.no_grad():
                    times = measure(device, problem, options)
            except NotImplementedError as missing:
                print(f"# {text} torch: not written for {missing}", flush=True)
                continue
            except (KeyError, ValueError, AttributeError) as bad:
                print(f"# {text} torch: a parameter is missing or wrong: {bad}", flush=True)
                continue
            except RuntimeError as error:
                print(f"# {text} torch: {str(error).splitlines()[0]}", flush=True)
                continue
            median = statistics.median(times)
            spread = (times[len(times) * 3 // 4] - times[len(times) // 4]) / 2 / median
            work = problem.flops or problem.bytes
            rate = f"{work / median * 1e-12:.3f} TFLOP/s" if problem.flops else f"{work / median * 1e-9:.1f} GB/s" if work else ""
            print(f"{text:<72} {'torch':<14} {median * 1e6:12.2f} {rate:>14} {'':>8} {100 * spread:6.1f} %", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
