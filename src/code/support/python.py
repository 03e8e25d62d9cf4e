"""Runs a Python program and tells what comes of it: python3 THIS DESCRIPTOR PROGRAM [ARG...]. To the descriptor go lines of JSON: {"type": "result"} with the value of the
last expression, {"type": "display"} for display(value) and for figures of matplotlib, {"type": "error"}. docs/CODE.md has the fields."""
import sys


def run(fd, path):
    import ast, base64, builtins, json, os, traceback, types

    def tell(line):
        data = json.dumps(line).encode() + b"\n"
        while data:
            data = data[os.write(fd, data) :]

    def quiet(call, *words):
        """What the program's own objects do when they are asked is no error of the program."""
        try:
            return call(*words)
        except Exception:
            return None

    def mime(value):
        told = {"text/plain": quiet(repr, value) or object.__repr__(value)}
        if isinstance(value, (dict, list, tuple, str, int, float, bool)):
            told["application/json"] = quiet(lambda: json.loads(json.dumps(value, allow_nan=False)))
        for kind, name in KINDS.items():
            method = quiet(getattr, type(value), name, None)
            told[kind] = quiet(method, value) if method else told.get(kind)
            if isinstance(told[kind], bytes):
                told[kind] = base64.b64encode(told[kind]).decode()
        bundle = quiet(getattr, type(value), "_repr_mimebundle_", None)
        more = quiet(bundle, value) if bundle else None
        told.update((more[0] if isinstance(more, tuple) else more) or {})
        return {str(kind): data for kind, data in told.items() if data is not None and quiet(json.dumps, data) is not None}

    def display(*values):
        for value in values:
            tell({"type": "display", "mime": mime(value)})

    def figures():
        import io

        plot = sys.modules["matplotlib.pyplot"]
        for number in plot.get_fignums():
            data = io.BytesIO()
            plot.figure(number).savefig(data, format="png")
            tell({"type": "display", "mime": {"image/png": base64.b64encode(data.getvalue()).decode()}})
        plot.close("all")

    def without_us(error):
        trace = error.__traceback__
        while trace and trace.tb_frame.f_code.co_filename == __file__:
            trace = trace.tb_next
        return trace

    def tell_error(error):
        trace = without_us(error)
        frames = [{"file": f.filename, "line": f.lineno, "function": f.name, "text": f.line or ""} for f in traceback.extract_tb(trace)]
        text = "".join(traceback.format_exception(type(error), error, trace))
        if isinstance(error, SyntaxError):
            frames.append({"file": error.filename, "line": error.lineno, "function": None, "text": error.text or ""})
        tell({"type": "error", "name": type(error).__name__, "value": quiet(str, error) or "", "traceback": frames, "text": text})
        sys.stdout.flush()
        sys.stderr.write(text)

    main = types.ModuleType("__main__")
    main.__file__ = path
    main.__builtins__ = builtins
    sys.modules["__main__"] = main
    builtins.display = display
    os.environ.setdefault("MPLBACKEND", "Agg")
    try:
        with open(path, "rb") as file:
            tree = compile(file.read(), path, "exec", ast.PyCF_ONLY_AST)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, path, "exec"), main.__dict__)
        if last:
            value = eval(compile(ast.Expression(last.value), path, "eval"), main.__dict__)
            if value is not None:
                tell({"type": "result", "mime": mime(value)})
        if "matplotlib.pyplot" in sys.modules:
            figures()
    except SystemExit:
        raise
    except BaseException as error:
        tell_error(error)
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    return 0


KINDS = {
    "text/html": "_repr_html_",
    "text/markdown": "_repr_markdown_",
    "text/latex": "_repr_latex_",
    "image/svg+xml": "_repr_svg_",
    "image/png": "_repr_png_",
    "image/jpeg": "_repr_jpeg_",
    "application/json": "_repr_json_",
}

if __name__ == "__main__":
    fd, sys.argv = int(sys.argv[1]), sys.argv[2:]
    sys.path[0] = sys.argv[0].rpartition("/")[0] or "/"
    __import__("os").set_inheritable(fd, False)
    status = run(fd, sys.argv[0])
    if status:
        sys.exit(status)
