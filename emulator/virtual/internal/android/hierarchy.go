package android

import (
	"bufio"
	"fmt"
	"io"
)

// writeHierarchy writes a tree as uiautomator dumps it
// (com.android.uiautomator.core.AccessibilityNodeInfoDumper). Compressed leaves
// out layouts that only arrange others.
func writeHierarchy(w io.Writer, root *Node, compressed bool) error {
	b := bufio.NewWriter(w)
	b.WriteString("<?xml version='1.0' encoding='UTF-8' standalone='yes' ?><hierarchy rotation=\"0\">")
	if root != nil {
		nodes := []*Node{root}
		if compressed {
			nodes = important(root)
		}
		for i, n := range nodes {
			writeNode(b, n, i, compressed)
		}
	}
	b.WriteString("</hierarchy>")
	return b.Flush()
}

// writeNode writes one node with what is below it.
func writeNode(b *bufio.Writer, n *Node, index int, compressed bool) {
	naf := ""
	if n.Clickable && n.Enabled && n.Text == "" && n.Desc == "" && !labelled(n) {
		naf = "NAF=\"true\" "
	}
	fmt.Fprintf(b, "<node %sindex=\"%d\" text=\"%s\" resource-id=\"%s\" class=\"%s\" package=\"%s\" content-desc=\"%s\"", naf, index,
		escapeXML(n.Text), escapeXML(n.ResourceID), escapeXML(n.Class), escapeXML(n.Package), escapeXML(n.Desc))
	fmt.Fprintf(b, " checkable=\"%t\" checked=\"%t\" clickable=\"%t\" enabled=\"%t\" focusable=\"%t\" focused=\"%t\" scrollable=\"%t\" long-clickable=\"false\" password=\"%t\" selected=\"false\"",
		n.Checkable, n.Checked, n.Clickable, n.Enabled, n.Focusable, n.Focused, n.Scrollable, n.Password)
	fmt.Fprintf(b, " bounds=\"[%d,%d][%d,%d]\" drawing-order=\"%d\" hint=\"%s\"", n.Bounds.Min.X, n.Bounds.Min.Y, n.Bounds.Max.X, n.Bounds.Max.Y, index+1, escapeXML(n.Hint))
	var children []*Node
	for _, c := range n.Children {
		if compressed {
			children = append(children, important(c)...)
		} else {
			children = append(children, c)
		}
	}
	if len(children) == 0 {
		b.WriteString(" />")
		return
	}
	b.WriteString(">")
	for i, c := range children {
		writeNode(b, c, i, compressed)
	}
	b.WriteString("</node>")
}

// labelled reports whether anything below a node has a text, which is what
// makes it friendly to accessibility.
func labelled(n *Node) bool {
	for _, c := range n.Children {
		if c.Text != "" || c.Desc != "" || labelled(c) {
			return true
		}
	}
	return false
}

// important is a node if it matters by itself, else those below it that do.
func important(n *Node) []*Node {
	if n.Text != "" || n.Desc != "" || n.ResourceID != "" || n.Clickable || n.Checkable || n.Focusable || n.Scrollable || n.Hint != "" {
		return []*Node{n}
	}
	var list []*Node
	for _, c := range n.Children {
		list = append(list, important(c)...)
	}
	return list
}
