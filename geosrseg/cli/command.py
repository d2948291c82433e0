"""Command: a subcommand that drops no value without a word."""

from collections import Counter

import click


class Command(click.Command):
    """A command that refuses lists given twice and empty texts.

    Of an option given twice click keeps the last value: the one meant for ``--epochs``, but
    ``--mask cloud --mask shadow`` would map the clouds. An empty text is what a shell makes of a
    variable that is not set.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        values, _, order = self.make_parser(ctx).parse_args(args=list(args))
        rest = super().parse_args(ctx, args)
        for option, times in Counter(order).items():
            if not isinstance(option, click.Option) or option.is_flag:
                continue
            name = option.opts[-1]
            if times > 1 and not option.multiple and ",..." in (option.metavar or ""):
                ctx.fail(f"{name} is given {times} times: list its values with commas in one")
            if option.default != "" and values[option.name] in ("", [""]):
                ctx.fail(f"{name} is empty: give a value, or leave it out")
        return rest
