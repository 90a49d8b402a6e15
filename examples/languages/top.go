// Prints the words of its standard input by how often they come.
package main

import (
	"bufio"
	"fmt"
	"os"
	"sort"
)

func main() {
	counts := map[string]int{}
	words := bufio.NewScanner(os.Stdin)
	words.Split(bufio.ScanWords)
	for words.Scan() {
		counts[words.Text()]++
	}
	if err := words.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	sorted := make([]string, 0, len(counts))
	for word := range counts {
		sorted = append(sorted, word)
	}
	sort.Slice(sorted, func(a, b int) bool {
		if counts[sorted[a]] != counts[sorted[b]] {
			return counts[sorted[a]] > counts[sorted[b]]
		}
		return sorted[a] < sorted[b]
	})
	for _, word := range sorted {
		fmt.Println(counts[word], word)
	}
}
