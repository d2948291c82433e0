"""Parses XML from unknown sources; the only error it raises is ValueError."""

from xml.etree import ElementTree


def parse_xml(content: bytes) -> ElementTree.Element:
    """Parse an XML text; return its root element.

    Raises:
        ValueError: the text is not XML, not UTF-8, or defines entities, which could expand
            without limit or name files.
    """
    text = content.decode("utf-8-sig")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("it defines entities")
    try:
        return ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ValueError(f"it is not XML: {error}") from error


def local_name(element: ElementTree.Element) -> str:
    """Return the tag of an element without its namespace."""
    return element.tag.rpartition("}")[2]
