# What zsh makes of a line when somebody types it and presses the tab key twice: the line, and below it what is offered.
#     zsh -f capture.zsh FOLDER LINE
# FOLDER has the script as _spear, as a folder of fpath would.
zmodload zsh/zpty
zpty shell "zsh -f -i"
zpty -w shell "fpath=(${(q)1} \$fpath); PROMPT=; autoload -Uz compinit; compinit -u -D; stty columns 200; show() { print -r -- \"LINE<\$BUFFER>\"; exit }; zle -N show; bindkey '^I' complete-word; bindkey '^X' show; print RE''ADY"
while zpty -r shell text; do [[ $text == READY* ]] && break; done
zpty -w -n shell "$2"$'\t\t\x18'
while zpty -r shell text; do
  print -rn -- "$text"
  [[ $text == *'LINE<'*'>'* ]] && break
done
zpty -d shell
