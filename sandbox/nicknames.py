"""Given names and the short forms people go by, as they appear among the sandbox's names."""

from __future__ import annotations

_PAIRS = """
Alexander Alex Sandy; Alexandra Alex Sandra; Amanda Mandy; Andrew Andy Drew; Anthony Tony;
Barbara Barb Babs; Benjamin Ben; Brandon Bran; Bradley Brad; Catherine Cathy Kate;
Charles Charlie Chuck; Charlotte Lottie; Christian Chris; Christina Chris Tina; Christine Chris Chrissy;
Christopher Chris; Cynthia Cindy; Daniel Dan Danny; David Dave; Deborah Deb Debbie; Debra Deb;
Donald Don; Dorothy Dot Dottie; Douglas Doug; Edward Ed Eddie Ted; Elizabeth Liz Beth Betty; Emily Em;
Eugene Gene; Frances Fran; Francis Frank; Frederick Fred; Gabriel Gabe; Geoffrey Geoff;
Gerald Gerry Jerry; Gregory Greg; Harold Harry; Heather Heath; Henry Hank Harry; Jacob Jake;
Jacqueline Jackie; James Jim Jimmy; Janet Jan; Jason Jay; Jeffrey Jeff; Jennifer Jen Jenny;
Jessica Jess; Jonathan Jon; Joseph Joe Joey; Joshua Josh; Judith Judy; Karen Kari;
Katherine Kathy Kate Katie; Kathleen Kathy; Kathryn Kathy; Kenneth Ken Kenny; Kimberly Kim;
Kristen Kris; Lawrence Larry; Leonard Len; Leslie Les; Lisa Lis; Margaret Maggie Peggy Meg;
Matthew Matt; Melissa Mel Missy; Michael Mike Mick; Michelle Shelly; Natalie Nat; Nathan Nate;
Nathaniel Nate; Nicholas Nick; Nicola Nicky; Pamela Pam; Patricia Pat Trish Patty; Patrick Pat Paddy;
Peter Pete; Philip Phil; Phillip Phil; Rachel Rach; Raymond Ray; Rebecca Becky; Richard Rick Dick Rich;
Robert Bob Rob Bobby; Ronald Ron; Russell Russ; Samantha Sam; Samuel Sam; Sandra Sandy; Sarah Sally;
Sharon Shaz; Stephanie Steph; Stephen Steve; Steven Steve; Susan Sue Susie; Suzanne Sue; Teresa Terry;
Theodore Ted; Theresa Terry; Thomas Tom Tommy; Timothy Tim; Tracey Trace; Tyler Ty; Valerie Val;
Victoria Vicky; Vincent Vince; William Bill Will; Zachary Zach; Johannes Hans; Katharina Kathi;
Elisabeth Lisa Sissi; Maximilian Max; Sebastian Basti; Wolfgang Wolf; Friedrich Fritz; Joachim Achim;
Hans-Joachim Hajo; Karl-Heinz Kalle; Margarete Grete; Susanne Susi; Ursula Uschi; Andreas Andi;
Matthias Matze; Benedikt Bene; Franziska Franzi; Josef Sepp; Ludwig Lutz; Manfred Manni; Michaela Michi;
Alexandre Alex; Alexandrie Alex; Antoine Toine; Bernard Nanard; Caroline Caro; Christophe Chris;
Dominique Domi; Élisabeth Babeth; Emmanuel Manu; Emmanuelle Manue; Frédéric Fred; Frédérique Fred;
Gilbert Gil; Grégoire Greg; Guillaume Guill; Isabelle Isa; Jean-Pierre JP; Laurence Lolo; Nathalie Nath;
Philippe Phil; Stéphanie Steph; Stéphane Steph; Sébastien Seb; Théodore Théo; Valérie Val;
Véronique Véro; Vincent Vince; Francisco Paco; José Pepe; Guadalupe Lupe; Ignacio Nacho; Dolores Lola;
Concepción Concha; Enrique Quique; Jesús Chuy; Rosario Charo; Manuel Manolo; Alberto Beto; Antonio Toño;
Isabel Chabela; Mercedes Meche; Rafael Rafa; Cornelis Kees; Hendrik Henk; Jacobus Jaap; Johanna Joke;
Wilhelmina Mina; Willem Wim; Gerardus Gerrit; Adrianus Adri;
"""

NICKNAMES: dict[str, tuple[str, ...]] = {
    words[0]: tuple(words[1:]) for words in (entry.split() for entry in _PAIRS.replace("\n", " ").split(";")) if words
}
