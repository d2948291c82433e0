"""XML text that somebody else wrote: parsed, or refused with a ValueError and nothing else."""

from xml.etree import ElementTree


def parse_xml(content: bytes) -> ElementTree.Element:
    """The outermost element of an XML text.

    Raises:
        ValueError: it is no XML, not UTF-8, or defines entities, which could grow without end
            or name files.
    """
    text = content.decode("utf-8")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("it defines entities")
    try:
        return ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ValueError(f"it is no XML: {error}") from error


def local_name(element: ElementTree.Element) -> str:
    """The tag of an element without its namespace."""
    return element.tag.rpartition("}")[2]
