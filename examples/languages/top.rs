use std::collections::HashMap;
use std::io::{self, Read};

fn main() {
    let most: usize = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(3);
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).expect("the input is UTF-8");
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for word in text.split_whitespace() {
        *counts.entry(word).or_default() += 1;
    }
    let mut words: Vec<_> = counts.into_iter().collect();
    words.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    for (word, count) in words.into_iter().take(most) {
        println!("{count} {word}");
    }
}
